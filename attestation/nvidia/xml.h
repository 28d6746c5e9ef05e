// A small strict reader of XML with namespaces, and Canonical XML 1.1 of what it reads: as much as the signed reference
// manifests of NVIDIA need, and nothing that attacks on XML signatures are made of.
//
// Refused: document types, entities and character references (every '&'), comments, CDATA, processing instructions (but
// an XML declaration in front), bytes outside printable ASCII, line feed and tab, tabs and line feeds in attributes,
// names with other characters than letters, digits, '_', '-', '.', attributes of the `xml:` prefix, a name or a
// namespace declared twice in one tag, prefixes without declaration, anything but white space around the document
// element; nesting deeper than kXmlDepthMax, more than kXmlAttributesMax attributes or kXmlNamespacesMax namespaces.
// So what is read is what is written, character by character.
//
// The reader pulls events and keeps no tree. Its views live as long as the input.
// Source: XML 1.0 (5th edition), Namespaces in XML 1.0, Canonical XML 1.1.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace eml {

inline constexpr ErrorCode kXmlMalformed{ErrorClass::kMalformed, "xml-malformed"};
inline constexpr ErrorCode kXmlForbidden{ErrorClass::kUnsupported, "xml-forbidden"};  // DTD, entity, comment, ...
inline constexpr ErrorCode kXmlTooLarge{ErrorClass::kLimit, "xml-too-large"};

inline constexpr std::size_t kXmlDepthMax = 16;       // genuine manifests have 6
inline constexpr std::size_t kXmlAttributesMax = 64;  // genuine manifests have 15
inline constexpr std::size_t kXmlNamespacesMax = 32;  // in scope at once; genuine manifests have 5

struct XmlAttribute {
  std::string_view prefix;
  std::string_view local;
  std::string_view uri;  // of the prefix; empty without one
  std::string_view value;
};

struct XmlNamespace {
  std::string_view prefix;  // empty: the default namespace
  std::string_view uri;
  std::size_t depth;  // of the element that declares it
};

class XmlReader {
 public:
  enum class Event : std::uint8_t { kStart, kEnd, kText, kDone };

  explicit XmlReader(ByteView input) : input_(as_text(input)) {}

  // next: an error is final; its integer is an offset. An empty-element tag gives kStart and then kEnd. kDone comes
  // after the document element, once all of the input was read.
  Result<Event> next();

  // Of the element of the last kStart or kEnd.
  std::string_view prefix() const { return prefix_; }
  std::string_view local() const { return local_; }
  std::string_view uri() const { return uri_; }
  std::size_t depth() const { return depth_; }  // 1 for the document element
  // Of the last kStart: its attributes, without namespace declarations, as they are written.
  std::span<const XmlAttribute> attributes() const { return attributes_; }
  const XmlAttribute* attribute(std::string_view local, std::string_view uri = {}) const;
  // Of the last kText: never empty.
  std::string_view text() const { return text_; }
  // All namespaces that were declared and are in scope, outermost first.
  std::span<const XmlNamespace> namespaces() const { return namespaces_; }
  // uri_of looks a prefix up among the declarations of elements up to `depth_max` levels deep; nullopt if there is
  // none.
  std::optional<std::string_view> uri_of(std::string_view prefix, std::size_t depth_max) const;

 private:
  struct RawAttribute {
    std::string_view prefix;
    std::string_view local;
    std::string_view value;
  };
  std::unexpected<Error> malformed(Literal what) const;
  std::unexpected<Error> forbidden(Literal what) const;
  bool at(std::string_view token) const { return input_.substr(offset_).starts_with(token); }
  void skip_space();
  Status expect(std::string_view token);
  Status check_input();
  Status begin();
  Result<std::string_view> name();
  Status qualified_name(std::string_view& prefix, std::string_view& local);
  Result<RawAttribute> raw_attribute();
  Status declare(const RawAttribute& attribute);
  Status resolve();
  Result<Event> start_tag();
  Result<Event> end_tag();
  Result<Event> characters();
  Event close_element();

  std::string_view input_;
  std::size_t offset_ = 0;
  bool begun_ = false;
  bool ended_ = false;                  // the document element was closed
  bool pending_end_ = false;            // the last tag was an empty-element tag
  std::vector<std::string_view> open_;  // qualified names
  std::vector<XmlNamespace> namespaces_;
  std::vector<XmlAttribute> attributes_;
  std::string_view prefix_;
  std::string_view local_;
  std::string_view uri_;
  std::string_view text_;
  std::size_t depth_ = 0;
};

// XmlCanonicalizer writes Canonical XML 1.1 without comments of the subtree whose events it is given, beginning with a
// kStart; namespaces that the first element inherits are written too. Text outside it is not to be given.
class XmlCanonicalizer {
 public:
  using Sink = std::function<void(std::string_view)>;
  explicit XmlCanonicalizer(Sink sink) : sink_(std::move(sink)) {}
  void write(const XmlReader& reader, XmlReader::Event event);

 private:
  void name(const XmlReader& reader);
  void start(const XmlReader& reader);
  void namespaces(const XmlReader& reader);
  void value(std::string_view text);
  Sink sink_;
  bool inside_ = false;
};

}  // namespace eml
