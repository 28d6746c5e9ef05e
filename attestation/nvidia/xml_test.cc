// The XML that is read and the XML that is refused; and Canonical XML 1.1 of the former.
#include "attestation/nvidia/xml.h"

#include <gtest/gtest.h>

#include <string>

namespace eml {
namespace {

using Event = XmlReader::Event;

// canonical is the canonical form of a whole document, or the error's name.
std::string canonical(std::string_view xml) {
  XmlReader in(as_bytes(xml));
  std::string out;
  XmlCanonicalizer canonicalizer([&out](std::string_view piece) { out += piece; });
  for (;;) {
    const auto event = in.next();
    if (!event) return std::string(event.error().code().name);
    if (*event == Event::kDone) return out;
    canonicalizer.write(in, *event);
  }
}

// canonical_of is that of the first element with this name.
std::string canonical_of(std::string_view xml, std::string_view local) {
  XmlReader in(as_bytes(xml));
  std::string out;
  XmlCanonicalizer canonicalizer([&out](std::string_view piece) { out += piece; });
  std::size_t depth = 0;
  for (;;) {
    const Event event = in.next().value();
    if (event == Event::kDone) return out;
    if (depth == 0 && event == Event::kStart && in.local() == local) depth = in.depth();
    if (depth != 0) canonicalizer.write(in, event);
    if (event == Event::kEnd && in.depth() == depth) return out;
  }
}

// Expected by hand from the rules of Canonical XML 1.1, 2.3: order of namespaces and attributes, no superfluous
// namespace, expanded empty elements, quotes, '>' in text, no declaration, nothing around the document element.
TEST(XmlTest, WritesTheCanonicalForm) {
  EXPECT_EQ(
      canonical("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                "<b:root xmlns:z=\"urn:z\" xmlns:b='urn:b' xmlns=\"urn:d\" b='1' z:a=\"2\" b:a='\"q\"' a=\"3\"  >\n"
                "  <e1   /><e2 xmlns=\"urn:d\" xmlns:b=\"urn:b\" x=\"1\"/>\n"
                "  <b:e3 xmlns:b=\"urn:other\" xmlns:c=\"urn:c\" c:k=\"v\">a > b</b:e3 >\n"
                "  <e4 xmlns=\"\"><e5 xmlns=\"urn:d\"/><e6 xmlns=\"\"/></e4>\n"
                "</b:root>\n\n"),
      "<b:root xmlns=\"urn:d\" xmlns:b=\"urn:b\" xmlns:z=\"urn:z\" a=\"3\" b=\"1\" b:a=\"&quot;q&quot;\" z:a=\"2\">\n"
      "  <e1></e1><e2 x=\"1\"></e2>\n"
      "  <b:e3 xmlns:b=\"urn:other\" xmlns:c=\"urn:c\" c:k=\"v\">a &gt; b</b:e3>\n"
      "  <e4 xmlns=\"\"><e5 xmlns=\"urn:d\"></e5><e6></e6></e4>\n"
      "</b:root>");
}

TEST(XmlTest, ASubtreeBringsTheNamespacesThatItInherits) {
  constexpr std::string_view kXml =
      "<a xmlns=\"urn:d\" xmlns:p=\"urn:p\" xmlns:q=\"urn:q\"><p:b xmlns:q=\"urn:r\" x=\"1\"><p:c/></p:b></a>";
  EXPECT_EQ(canonical_of(kXml, "b"),
            "<p:b xmlns=\"urn:d\" xmlns:p=\"urn:p\" xmlns:q=\"urn:r\" x=\"1\"><p:c></p:c></p:b>");
  EXPECT_EQ(canonical_of(kXml, "c"), "<p:c xmlns=\"urn:d\" xmlns:p=\"urn:p\" xmlns:q=\"urn:r\"></p:c>");
}

TEST(XmlTest, RefusesWhatAttacksAreMadeOfBeforeParsingIt) {
  for (const char* xml : {
           "<!DOCTYPE a><a/>",
           "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><x/>",
           "<a>&lt;</a>",
           "<a>&#65;</a>",
           "<a b=\"&amp;\"/>",
           "<a><!-- c --></a>",
           "<a><![CDATA[x]]></a>",
           "<a><?pi x?></a>",
           "<?pi x?><a/>",
           "<?xml version=\"1.1\"?><a/>",
           "<?xml version=\"1.0\" encoding=\"UTF-16\"?><a/>",
           "<a/><?pi?>",
           "<a>\xc3\xa4</a>",
           "<a>\r</a>",
           "<a>\x01</a>",
           "<a xml:id=\"1\"/>",
           "<a xmlns:xml=\"urn:x\"/>",
           "<a xmlns:xmlns=\"urn:x\"/>",
           "<a></a b=\"<!\">",
       }) {
    EXPECT_EQ(canonical(xml), "xml-forbidden") << xml;
  }
}

TEST(XmlTest, RefusesWhatIsNotWellFormed) {
  for (const char* xml : {
           "",
           " ",
           "a",
           "a<a/>",
           "<a>",
           "<a></b>",
           "<a></a",
           "</a>",
           "<a/><b/>",
           "<a/>x",
           "<a",
           "<",
           "<1/>",
           "<a b/>",
           "<a b=/>",
           "<a b=1/>",
           "<a b=\"1/>",
           "<a b=\"1\"c=\"2\"/>",
           "<a b=\"1\" b=\"2\"/>",
           "<a b=\"<\"/>",
           "<a b=\"\n\"/>",
           "<p:a/>",
           "<a p:b=\"1\"/>",
           "<a xmlns:p=\"urn:p\" xmlns:q=\"urn:p\" p:b=\"1\" q:b=\"2\"/>",
           "<a xmlns=\"urn:1\" xmlns=\"urn:2\"/>",
           "<a xmlns:p=\"\"/>",
           "<a:b:c xmlns:a=\"urn:a\"/>",
           "<a>]]></a>",
           "<a/ >",
           "<a><b></a></b>",
           "<p:a xmlns:p=\"urn:p\"></q:a>",
       }) {
    EXPECT_EQ(canonical(xml), "xml-malformed") << xml;
  }
}

TEST(XmlTest, BoundsDepthAttributesAndNamespaces) {
  const auto nested = [](std::size_t n) {
    std::string out;
    for (std::size_t i = 0; i < n; ++i) out += "<a>";
    for (std::size_t i = 0; i < n; ++i) out += "</a>";
    return out;
  };
  EXPECT_EQ(canonical(nested(kXmlDepthMax)), nested(kXmlDepthMax));
  EXPECT_EQ(canonical(nested(kXmlDepthMax + 1)), "xml-too-large");
  const auto element = [](const std::string& prefix, std::size_t n) {
    std::string out = "<a";
    for (std::size_t i = 0; i < n; ++i) out += " " + prefix + "a" + std::to_string(i) + "=\"1\"";
    return out + "/>";
  };
  EXPECT_EQ(canonical(element("", kXmlAttributesMax)).substr(0, 3), "<a ");
  EXPECT_EQ(canonical(element("", kXmlAttributesMax + 1)), "xml-too-large");
  EXPECT_EQ(canonical(element("xmlns:", kXmlNamespacesMax)).substr(0, 3), "<a ");
  EXPECT_EQ(canonical(element("xmlns:", kXmlNamespacesMax + 1)), "xml-too-large");
}

TEST(XmlTest, ATruncatedDocumentIsNeverRead) {
  constexpr std::string_view kXml = "<a xmlns:p=\"urn:p\"><p:b c='1'>text</p:b><d/></a>";
  for (std::size_t size = 0; size < kXml.size(); ++size) {
    const std::string read = canonical(kXml.substr(0, size));
    EXPECT_EQ(read, "xml-malformed") << size;
  }
}

}  // namespace
}  // namespace eml
