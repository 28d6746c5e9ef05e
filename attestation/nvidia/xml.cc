#include "attestation/nvidia/xml.h"

#include <algorithm>
#include <array>
#include <tuple>

namespace eml {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n'; }
bool is_name_start(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; }
bool is_name_char(char c) { return is_name_start(c) || (c >= '0' && c <= '9') || c == '-' || c == '.'; }

// The declarations that ElementTree, lxml and Java write; with the quotes of either kind.
constexpr std::array<std::string_view, 8> kDeclarations{
    R"(<?xml version="1.0"?>)",
    R"(<?xml version='1.0'?>)",
    R"(<?xml version="1.0" encoding="UTF-8"?>)",
    R"(<?xml version='1.0' encoding='UTF-8'?>)",
    R"(<?xml version="1.0" encoding="utf-8"?>)",
    R"(<?xml version='1.0' encoding='utf-8'?>)",
    R"(<?xml version="1.0" encoding="UTF-8" standalone="no"?>)",
    R"(<?xml version='1.0' encoding='us-ascii'?>)",
};

}  // namespace

std::unexpected<Error> XmlReader::malformed(Literal what) const { return fail(kXmlMalformed, what, offset_); }
std::unexpected<Error> XmlReader::forbidden(Literal what) const { return fail(kXmlForbidden, what, offset_); }

void XmlReader::skip_space() {
  while (offset_ < input_.size() && is_space(input_[offset_])) ++offset_;
}

Status XmlReader::expect(std::string_view token) {
  if (!at(token)) return malformed("a tag is not closed");
  offset_ += token.size();
  return {};
}

// Before anything is parsed.
Status XmlReader::check_input() {
  for (std::size_t i = 0; i < input_.size(); ++i) {
    const char c = input_[i];
    if (c == '&') return fail(kXmlForbidden, "an entity or a character reference", i);
    if ((c < 0x20 && c != '\n' && c != '\t') || c > 0x7e) return fail(kXmlForbidden, "not printable ASCII", i);
    if (c != '<' || i + 1 == input_.size()) continue;
    if (input_[i + 1] == '!') return fail(kXmlForbidden, "a document type, comment or CDATA", i);
    if (input_[i + 1] == '?' && i != 0) return fail(kXmlForbidden, "a processing instruction", i);
  }
  return {};
}

Status XmlReader::begin() {
  begun_ = true;
  EML_CHECK(check_input());
  if (at("<?")) {
    const std::size_t start = offset_;
    for (const std::string_view declaration : kDeclarations) {
      if (offset_ == start && at(declaration)) offset_ += declaration.size();
    }
    if (offset_ == start) return forbidden("another XML declaration, or a processing instruction");
  }
  skip_space();
  return {};
}

Result<std::string_view> XmlReader::name() {
  const std::size_t start = offset_;
  if (start == input_.size() || !is_name_start(input_[start])) return malformed("not a name");
  while (offset_ < input_.size() && is_name_char(input_[offset_])) ++offset_;
  return input_.substr(start, offset_ - start);
}

Status XmlReader::qualified_name(std::string_view& prefix, std::string_view& local) {
  prefix = {};
  EML_TRY(local, name());
  if (!at(":")) return {};
  ++offset_;
  prefix = local;
  EML_TRY(local, name());
  return {};
}

Result<XmlReader::RawAttribute> XmlReader::raw_attribute() {
  RawAttribute out;
  EML_CHECK(qualified_name(out.prefix, out.local));
  skip_space();
  EML_CHECK(expect("="));
  skip_space();
  if (!at("\"") && !at("'")) return malformed("an attribute's value is not quoted");
  const char quote = input_[offset_++];
  const std::size_t end = input_.find(quote, offset_);
  if (end == std::string_view::npos) return malformed("an attribute's value does not end");
  out.value = input_.substr(offset_, end - offset_);
  if (out.value.find_first_of("<\t\n") != std::string_view::npos)
    return malformed("a character that no value may hold");
  offset_ = end + 1;
  if (out.prefix == "xml") return forbidden("an attribute of the prefix xml");
  return out;
}

// xmlns="uri" or xmlns:prefix="uri".
Status XmlReader::declare(const RawAttribute& attribute) {
  const std::string_view prefix = attribute.prefix.empty() ? std::string_view() : attribute.local;
  if (prefix == "xml" || prefix == "xmlns") return forbidden("a reserved prefix is declared");
  if (!prefix.empty() && attribute.value.empty()) return malformed("a prefix is declared as nothing");
  if (std::ranges::any_of(namespaces_,
                          [&](const XmlNamespace& n) { return n.depth == depth_ && n.prefix == prefix; })) {
    return malformed("a namespace is declared twice");
  }
  if (namespaces_.size() == kXmlNamespacesMax) return fail(kXmlTooLarge, "too many namespaces", offset_);
  namespaces_.push_back({.prefix = prefix, .uri = attribute.value, .depth = depth_});
  return {};
}

std::optional<std::string_view> XmlReader::uri_of(std::string_view prefix, std::size_t depth_max) const {
  for (std::size_t i = namespaces_.size(); i > 0; --i) {
    const XmlNamespace& n = namespaces_[i - 1];
    if (n.depth <= depth_max && n.prefix == prefix) return n.uri;
  }
  return std::nullopt;
}

const XmlAttribute* XmlReader::attribute(std::string_view local, std::string_view uri) const {
  const auto found =
      std::ranges::find_if(attributes_, [&](const XmlAttribute& a) { return a.local == local && a.uri == uri; });
  return found == attributes_.end() ? nullptr : &*found;
}

// Prefixes may be declared after their use in the same tag.
Status XmlReader::resolve() {
  const auto uri = uri_of(prefix_, depth_);
  if (!uri && !prefix_.empty()) return malformed("a prefix without declaration");
  uri_ = uri.value_or(std::string_view());
  for (XmlAttribute& attribute : attributes_) {
    if (attribute.prefix.empty()) continue;
    const auto found = uri_of(attribute.prefix, depth_);
    if (!found) return malformed("a prefix without declaration");
    attribute.uri = *found;
  }
  for (std::size_t i = 0; i < attributes_.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (attributes_[i].local == attributes_[j].local && attributes_[i].uri == attributes_[j].uri) {
        return malformed("an attribute twice");
      }
    }
  }
  return {};
}

Result<XmlReader::Event> XmlReader::start_tag() {
  if (open_.size() == kXmlDepthMax) return fail(kXmlTooLarge, "elements are nested too deeply", offset_);
  const std::size_t start = ++offset_;
  EML_CHECK(qualified_name(prefix_, local_));
  open_.push_back(input_.substr(start, offset_ - start));
  depth_ = open_.size();
  attributes_.clear();
  for (;;) {
    const std::size_t before = offset_;
    skip_space();
    if (at(">") || at("/>")) break;
    if (offset_ == before) return malformed("no space before an attribute");
    EML_TRY(const RawAttribute raw, raw_attribute());
    if (raw.prefix == "xmlns" || (raw.prefix.empty() && raw.local == "xmlns")) {
      EML_CHECK(declare(raw));
      continue;
    }
    if (attributes_.size() == kXmlAttributesMax) return fail(kXmlTooLarge, "too many attributes", offset_);
    attributes_.push_back({.prefix = raw.prefix, .local = raw.local, .uri = {}, .value = raw.value});
  }
  pending_end_ = at("/>");
  offset_ += pending_end_ ? 2 : 1;
  EML_CHECK(resolve());
  return Event::kStart;
}

// close_element ends the innermost open element, whose name stays readable.
XmlReader::Event XmlReader::close_element() {
  const std::string_view qualified = open_.back();
  depth_ = open_.size();
  const std::size_t colon = qualified.find(':');
  prefix_ = colon == std::string_view::npos ? std::string_view() : qualified.substr(0, colon);
  local_ = colon == std::string_view::npos ? qualified : qualified.substr(colon + 1);
  uri_ = uri_of(prefix_, depth_).value_or(std::string_view());
  std::erase_if(namespaces_, [&](const XmlNamespace& n) { return n.depth == depth_; });
  open_.pop_back();
  ended_ = open_.empty();
  return Event::kEnd;
}

Result<XmlReader::Event> XmlReader::end_tag() {
  offset_ += 2;
  std::string_view prefix;
  std::string_view local;
  const std::size_t start = offset_;
  EML_CHECK(qualified_name(prefix, local));
  if (open_.empty() || input_.substr(start, offset_ - start) != open_.back()) {
    return malformed("an end tag without its start");
  }
  skip_space();
  EML_CHECK(expect(">"));
  return close_element();
}

Result<XmlReader::Event> XmlReader::characters() {
  const std::size_t end = std::min(input_.find('<', offset_), input_.size());
  text_ = input_.substr(offset_, end - offset_);
  if (text_.find("]]>") != std::string_view::npos) return malformed("]]> in a text");
  offset_ = end;
  return Event::kText;
}

Result<XmlReader::Event> XmlReader::next() {
  if (!begun_) EML_CHECK(begin());
  if (pending_end_) {
    pending_end_ = false;
    return close_element();
  }
  if (ended_) {
    skip_space();
    if (offset_ != input_.size()) return malformed("something follows the document element");
    return Event::kDone;
  }
  if (offset_ == input_.size()) return malformed("the document ends inside an element");
  if (at("</")) return end_tag();
  if (at("<")) return start_tag();
  if (open_.empty()) return malformed("text before the document element");
  return characters();
}

void XmlCanonicalizer::write(const XmlReader& reader, XmlReader::Event event) {
  switch (event) {
    case XmlReader::Event::kStart:
      start(reader);
      inside_ = true;
      break;
    case XmlReader::Event::kEnd:
      sink_("</");
      name(reader);
      sink_(">");
      break;
    case XmlReader::Event::kText: {
      std::string_view text = reader.text();
      for (std::size_t at = text.find('>'); at != std::string_view::npos; at = text.find('>')) {
        sink_(text.substr(0, at));
        sink_("&gt;");
        text.remove_prefix(at + 1);
      }
      sink_(text);
      break;
    }
    case XmlReader::Event::kDone:
      break;
  }
}

void XmlCanonicalizer::name(const XmlReader& reader) {
  if (!reader.prefix().empty()) {
    sink_(reader.prefix());
    sink_(":");
  }
  sink_(reader.local());
}

void XmlCanonicalizer::value(std::string_view text) {
  sink_("=\"");
  for (std::size_t at = text.find('"'); at != std::string_view::npos; at = text.find('"')) {
    sink_(text.substr(0, at));
    sink_("&quot;");
    text.remove_prefix(at + 1);
  }
  sink_(text);
  sink_("\"");
}

// Canonical XML 1.1, 2.3: a namespace is written where it differs from what the parent in the output has.
void XmlCanonicalizer::namespaces(const XmlReader& reader) {
  std::vector<XmlNamespace> out;
  for (const XmlNamespace& n : reader.namespaces()) {
    if (n.uri != reader.uri_of(n.prefix, reader.depth())) continue;  // declared anew further in
    if (inside_ && n.depth < reader.depth()) continue;
    const std::string_view outer =
        inside_ ? reader.uri_of(n.prefix, reader.depth() - 1).value_or(std::string_view()) : std::string_view();
    if (n.uri == outer) continue;
    if (std::ranges::none_of(out, [&](const XmlNamespace& o) { return o.prefix == n.prefix; })) out.push_back(n);
  }
  std::ranges::sort(out, {}, &XmlNamespace::prefix);
  for (const XmlNamespace& n : out) {
    sink_(n.prefix.empty() ? " xmlns" : " xmlns:");
    sink_(n.prefix);
    value(n.uri);
  }
}

void XmlCanonicalizer::start(const XmlReader& reader) {
  sink_("<");
  name(reader);
  namespaces(reader);
  std::vector<XmlAttribute> attributes(reader.attributes().begin(), reader.attributes().end());
  std::ranges::sort(attributes, {}, [](const XmlAttribute& a) { return std::tie(a.uri, a.local); });
  for (const XmlAttribute& attribute : attributes) {
    sink_(" ");
    if (!attribute.prefix.empty()) {
      sink_(attribute.prefix);
      sink_(":");
    }
    sink_(attribute.local);
    value(attribute.value);
  }
  sink_(">");
}

}  // namespace eml
