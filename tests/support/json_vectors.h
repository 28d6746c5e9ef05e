// JSON test vectors of others, read so that nothing in them is overlooked: a member that the test neither read nor
// named as of no interest fails the test.

#pragma once

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace eml::test {

// VectorObject is one JSON object of a vector file. Its accessors report a missing member or a wrong type as a failure
// of the running test and return an empty value. At the end of its scope, each member must have been read or ignored.
class VectorObject {
 public:
  VectorObject(const boost::json::value& value, std::string where) : where_(std::move(where)) {
    if (value.is_object()) {
      object_ = value.get_object();
    } else {
      ADD_FAILURE() << where_ << ": not an object";
    }
  }
  VectorObject(const VectorObject&) = delete;
  VectorObject& operator=(const VectorObject&) = delete;
  ~VectorObject() {
    for (const auto& member : object_) {
      if (!read_.contains(member.key())) ADD_FAILURE() << where_ << ": member '" << member.key() << "' was not read";
    }
  }

  const std::string& where() const { return where_; }
  bool has(std::string_view name) const { return object_.contains(name); }

  const boost::json::value& value(std::string_view name) {
    static const boost::json::value kNull;
    read_.insert(std::string(name));
    const auto* const found = object_.if_contains(name);
    if (found == nullptr) ADD_FAILURE() << where_ << ": member '" << name << "' is missing";
    return found == nullptr ? kNull : *found;
  }

  std::string text(std::string_view name) {
    const auto& found = value(name);
    if (found.is_string()) return std::string(std::string_view(found.get_string()));
    ADD_FAILURE() << where_ << ": member '" << name << "' is not text";
    return {};
  }

  std::int64_t number(std::string_view name) {
    const auto& found = value(name);
    if (found.is_int64()) return found.get_int64();
    ADD_FAILURE() << where_ << ": member '" << name << "' is not an integer";
    return 0;
  }

  const boost::json::array& array(std::string_view name) {
    static const boost::json::array kNone;
    const auto& found = value(name);
    if (found.is_array()) return found.get_array();
    ADD_FAILURE() << where_ << ": member '" << name << "' is not an array";
    return kNone;
  }

  // ignore names members that say nothing to this test (a title, a comment).
  void ignore(std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) read_.insert(std::string(name));
  }

 private:
  std::string where_;
  boost::json::object object_;
  std::set<std::string, std::less<>> read_;
};

// parse_vectors parses a vector file; nothing but JSON throws.
inline boost::json::value parse_vectors(std::string_view text) { return boost::json::parse(text); }

}  // namespace eml::test
