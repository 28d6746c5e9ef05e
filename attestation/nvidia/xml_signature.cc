#include "attestation/nvidia/xml_signature.h"

#include <optional>
#include <string>
#include <string_view>

#include "attestation/nvidia/xml.h"
#include "crypto/hash.h"
#include "encoding/base64.h"

namespace eml {
namespace {

using Event = XmlReader::Event;

constexpr std::string_view kSignatureNamespace = "http://www.w3.org/2000/09/xmldsig#";
constexpr std::string_view kC14n11 = "http://www.w3.org/2006/12/xml-c14n11";
constexpr std::string_view kEnveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
constexpr std::string_view kEcdsaSha384 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384";
constexpr std::string_view kSha384 = "http://www.w3.org/2001/04/xmldsig-more#sha384";
constexpr std::size_t kCertificatesMax = 8;

std::unexpected<Error> bad_form(Literal what) { return fail(kXmlSignatureForm, what); }

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\n") == std::string_view::npos; }

// SignatureParser reads one Signature element, whose start was just read, by the one grammar that is allowed.
class SignatureParser {
 public:
  SignatureParser(XmlReader& in, SignedXml& out) : in_(in), out_(out) {}

  Status parse() {
    if (!in_.attributes().empty()) return bad_form("an attribute on Signature");
    EML_CHECK(signed_info());
    EML_TRY(out_.signature, base64_element("SignatureValue"));
    EML_CHECK(open("KeyInfo", {}));
    EML_CHECK(open("X509Data", {}));
    EML_CHECK(certificates());
    EML_CHECK(close());
    return close();
  }

 private:
  struct Wanted {
    std::string_view attribute;  // empty: none
    std::string_view value;
  };

  // next skips white space between elements; it is signed like everything else.
  Result<Event> next() {
    for (;;) {
      EML_TRY(const Event event, in_.next());
      if (canonical_) canonical_->write(in_, event);
      if (event == Event::kText && is_blank(in_.text())) continue;
      return event;
    }
  }

  bool is_here(std::string_view local, Wanted wanted) const {
    if (in_.local() != local || in_.uri() != kSignatureNamespace) return false;
    if (wanted.attribute.empty()) return in_.attributes().empty();
    const XmlAttribute* attribute = in_.attribute(wanted.attribute);
    return in_.attributes().size() == 1 && attribute != nullptr && attribute->value == wanted.value;
  }

  Status open(std::string_view local, Wanted wanted) {
    EML_TRY(const Event event, next());
    if (event != Event::kStart || !is_here(local, wanted)) return bad_form("another element or algorithm than allowed");
    return {};
  }

  Status close() {
    EML_TRY(const Event event, next());
    if (event != Event::kEnd) return bad_form("an element holds more than allowed");
    return {};
  }

  Status empty_element(std::string_view local, Wanted wanted) {
    EML_CHECK(open(local, wanted));
    return close();
  }

  // The text of the element that was opened, up to its end.
  Result<Bytes> base64_text() {
    std::string digits;
    for (;;) {
      EML_TRY(const Event event, next());
      if (event == Event::kEnd) break;
      if (event != Event::kText) return bad_form("an element inside base64");
      for (const char c : in_.text()) {
        if (c != '\n' && c != ' ' && c != '\t') digits.push_back(c);
      }
    }
    auto bytes = from_base64(digits);
    if (!bytes || bytes->empty()) return bad_form("not base64");
    return *std::move(bytes);
  }

  Result<Bytes> base64_element(std::string_view local) {
    EML_CHECK(open(local, {}));
    return base64_text();
  }

  Status signed_info() {
    std::string canonical;
    canonical_.emplace([&canonical](std::string_view piece) { canonical += piece; });
    EML_CHECK(open("SignedInfo", {}));
    EML_CHECK(empty_element("CanonicalizationMethod", {"Algorithm", kC14n11}));
    EML_CHECK(empty_element("SignatureMethod", {"Algorithm", kEcdsaSha384}));
    EML_CHECK(open("Reference", {"URI", ""}));
    EML_CHECK(open("Transforms", {}));
    EML_CHECK(empty_element("Transform", {"Algorithm", kEnveloped}));
    EML_CHECK(empty_element("Transform", {"Algorithm", kC14n11}));
    EML_CHECK(close());
    EML_CHECK(empty_element("DigestMethod", {"Algorithm", kSha384}));
    EML_TRY(out_.stated_digest, base64_element("DigestValue"));
    EML_CHECK(close());
    EML_CHECK(close());
    canonical_.reset();
    out_.signed_info = to_bytes(canonical);
    return {};
  }

  Status certificates() {
    for (;;) {
      EML_TRY(const Event event, next());
      if (event == Event::kEnd) break;
      if (event != Event::kStart || !is_here("X509Certificate", {})) return bad_form("X509Data holds something else");
      if (out_.certificates.size() == kCertificatesMax) return bad_form("too many certificates");
      EML_TRY(Bytes der, base64_text());
      out_.certificates.push_back(std::move(der));
    }
    if (out_.certificates.empty()) return bad_form("no certificate");
    return {};
  }

  XmlReader& in_;
  SignedXml& out_;
  std::optional<XmlCanonicalizer> canonical_;
};

}  // namespace

Result<SignedXml> read_signed_xml(ByteView xml) {
  SignedXml out;
  Sha384 digest;
  XmlCanonicalizer content([&digest](std::string_view piece) { digest.update(as_bytes(piece)); });
  XmlReader in(xml);
  bool has_signature = false;
  for (;;) {
    EML_TRY(const Event event, in.next());
    if (event == Event::kDone) break;
    if (event == Event::kStart && in.uri() == kSignatureNamespace) {
      if (in.local() != "Signature" || in.depth() != 2) return bad_form("a signature that is not the document's own");
      if (has_signature) return bad_form("a second signature");
      has_signature = true;
      EML_CHECK(SignatureParser(in, out).parse());
      continue;
    }
    content.write(in, event);
  }
  if (!has_signature) return bad_form("no signature");
  out.content_digest = digest.finish();
  return out;
}

}  // namespace eml
