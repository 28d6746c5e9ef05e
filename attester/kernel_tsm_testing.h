// KernelTsm behaves as drivers/virt/coco/tsm.c and configfs do by their documents, in memory: a directory per request,
// a generation that counts writes, a report that is made when it is read, a binary write whose failure nobody sees.
// What a test wants to go wrong it says beforehand. Test-only.
#pragma once

#include <algorithm>
#include <cerrno>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "attester/tsm_directory.h"

namespace eml::test {

class KernelTsm final : public TsmDirectory {
 public:
  std::optional<std::string> provider = "tdx_guest\n";  // nullopt: no driver has registered
  std::optional<std::string> privlevel_floor;           // nullopt: the attribute does not exist
  std::optional<Bytes> auxblob;                         // nullopt: the attribute does not exist
  std::function<Bytes(ByteView inblob, std::string_view level)> make_report = [](ByteView inblob, std::string_view) {
    return concat(as_bytes("report over "), inblob);
  };
  std::uint64_t first_generation = 0;
  std::optional<std::string> generation_text;  // said instead of the number
  int intruders = 0;                           // another process writes into that many of the requests
  bool drop_inblob = false;                    // the provider refuses the blob at the close, unseen
  // Errors to come, in order, by "make", "remove", "read NAME", "write NAME"; 0 lets one pass.
  std::map<std::string, std::deque<int>> errors;

  std::size_t live() const { return entries_.size(); }
  int made() const { return made_; }
  int asked(const std::string& operation) const {
    const auto found = asked_.find(operation);
    return found == asked_.end() ? 0 : found->second;
  }

  OrErrno<void> make(const std::string& entry) override {
    const std::lock_guard lock(mutex_);
    if (const int error = next_error("make")) return std::unexpected(error);
    if (!provider) return std::unexpected(ENXIO);
    if (!entries_.emplace(entry, Entry{.generation = first_generation}).second) return std::unexpected(EEXIST);
    ++made_;
    return {};
  }

  OrErrno<void> remove(const std::string& entry) override {
    const std::lock_guard lock(mutex_);
    const int error = next_error("remove");
    entries_.erase(entry);
    if (error != 0) return std::unexpected(error);
    return {};
  }

  OrErrno<Bytes> read(const std::string& name, std::string_view attribute, std::size_t bytes_max) override {
    const std::lock_guard lock(mutex_);
    if (const int error = next_error("read " + std::string(attribute))) return std::unexpected(error);
    auto value = value_of(entries_.at(name), attribute);
    if (value && value->size() > bytes_max) return std::unexpected(EFBIG);
    return value;
  }

  OrErrno<void> write(const std::string& name, std::string_view attribute, ByteView bytes) override {
    const std::lock_guard lock(mutex_);
    if (const int error = next_error("write " + std::string(attribute))) return std::unexpected(error);
    Entry& entry = entries_.at(name);
    if (attribute == "inblob") {
      if (drop_inblob || bytes.empty() || bytes.size() > 64) return {};
      entry.inblob = to_bytes(bytes);
    } else if (attribute == "privlevel" && privlevel_floor) {
      entry.level = std::string(as_text(bytes));
    } else {
      return std::unexpected(EACCES);
    }
    ++entry.generation;
    return {};
  }

 private:
  struct Entry {
    std::uint64_t generation = 0;
    Bytes inblob;
    std::string level = "0";
  };

  int next_error(const std::string& operation) {
    ++asked_[operation];
    auto& queue = errors[operation];
    if (queue.empty()) return 0;
    const int error = queue.front();
    queue.pop_front();
    return error;
  }

  static OrErrno<Bytes> optional_value(const std::optional<Bytes>& value) {
    if (!value) return std::unexpected(ENOENT);
    return *value;
  }

  OrErrno<Bytes> value_of(Entry& entry, std::string_view attribute) {
    if (attribute == "provider") return to_bytes(*provider);
    if (attribute == "generation") {
      return to_bytes(generation_text ? *generation_text : std::to_string(entry.generation) + "\n");
    }
    if (attribute == "auxblob") return optional_value(auxblob);
    if (attribute == "privlevel_floor") {
      return optional_value(privlevel_floor ? std::optional(to_bytes(*privlevel_floor)) : std::nullopt);
    }
    if (attribute != "outblob") return std::unexpected(EACCES);
    if (intruders > 0) {
      --intruders;
      entry.inblob = Bytes(64, 0xee);
      ++entry.generation;
    }
    if (entry.inblob.empty()) return std::unexpected(EINVAL);
    return make_report(entry.inblob, entry.level);
  }

  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
  std::map<std::string, int> asked_;
  int made_ = 0;
};

}  // namespace eml::test
