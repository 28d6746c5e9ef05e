#include "attestation/nvidia/rim.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "attestation/nvidia/xml.h"
#include "attestation/nvidia/xml_signature.h"
#include "crypto/x509.h"

namespace eml {
namespace {

using Event = XmlReader::Event;

constexpr std::string_view kCorimRoot = "12977b5115acb0381179279fffeb5a8c4d264971ebb32298023a465fa41df5d1";
constexpr std::string_view kSwidNamespace = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd";
constexpr std::string_view kHashNamespace = "http://www.w3.org/2001/04/xmlenc#sha384";
constexpr unsigned kIndexMax = 254;  // a block's number is a byte, from 1
constexpr unsigned kAlternativesMax = 256;

std::unexpected<Error> bad_manifest(Literal what) { return fail(kNvidiaRimXml, what); }

Result<std::vector<Certificate>> decode_chain(const SignedXml& xml) {
  std::vector<Certificate> out;
  for (const Bytes& der : xml.certificates) {
    auto certificate = Certificate::decode_der(der);
    if (!certificate) return fail(kNvidiaRimSignature, "an entry of KeyInfo is not a certificate");
    out.push_back(*std::move(certificate));
  }
  return out;
}

// verify_signer returns the certificate that signed the manifest.
Result<Certificate> verify_signer(const SignedXml& xml, const Hash32& root, UnixSeconds time) {
  EML_TRY(const auto chain, decode_chain(xml));
  const Certificate& signer = chain.front();
  if (chain.back().fingerprint() != root) return fail(kNvidiaRimSignature, "the signer's chain ends in another root");
  if (const Status verified = verify_chain(chain, chain.back(), time); !verified) {
    const bool is_date = verified.error().code() == kChainExpired || verified.error().code() == kChainNotYetValid;
    return is_date ? fail(kNvidiaRimSignature, "a certificate of the manifest's signer is not valid at that time")
                   : fail(kNvidiaRimSignature, "the certificates in KeyInfo are not a chain");
  }
  if (signer.is_ca() || !signer.key_usage().digital_signature) {
    return fail(kNvidiaRimSignature, "the signer's certificate may not sign manifests");
  }
  if (!signer.public_key().verify(SignatureScheme::kEcdsaP384Sha384, xml.signed_info, xml.signature)) {
    return fail(kNvidiaRimSignature, "the signer did not sign this SignedInfo");
  }
  if (!equal(xml.content_digest, xml.stated_digest)) {
    return fail(kNvidiaRimSignature, "the document is not the one whose digest was signed");
  }
  return signer;
}

std::optional<unsigned> read_number(std::string_view text, unsigned max) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > max) return std::nullopt;
  return value;
}

std::string_view attribute_of(const XmlReader& in, std::string_view name) {
  const XmlAttribute* attribute = in.attribute(name);
  return attribute == nullptr ? std::string_view() : attribute->value;
}

Result<std::vector<Hash48>> read_hashes(const XmlReader& in) {
  const auto count = read_number(attribute_of(in, "alternatives"), kAlternativesMax);
  if (!count || *count == 0 || attribute_of(in, "size") != "48")
    return bad_manifest("alternatives or size of a Resource");
  std::vector<Hash48> out;
  for (unsigned i = 0; i < *count; ++i) {
    const XmlAttribute* attribute = in.attribute("Hash" + std::to_string(i), kHashNamespace);
    if (attribute == nullptr) return bad_manifest("a Resource has fewer hashes than alternatives");
    const auto bytes = from_hex(attribute->value);
    const auto hash = bytes ? to_array<48>(*bytes) : std::nullopt;
    if (!hash) return bad_manifest("a hash is not 96 hex digits");
    out.push_back(*hash);
  }
  return out;
}

// SwidParser reads what the manifest says, once it is known to be signed.
class SwidParser {
 public:
  explicit SwidParser(ByteView xml) : in_(xml) {}

  Status parse() {
    for (;;) {
      EML_TRY(const Event event, in_.next());
      if (event == Event::kDone) break;
      if (event == Event::kStart) EML_CHECK(element());
      if (event == Event::kEnd && in_.depth() == 2) in_payload_ = false;
    }
    if (!has_meta_ || version.empty() || product.empty()) return bad_manifest("Meta lacks version or product");
    if (active.empty()) return bad_manifest("no active Resource");
    return {};
  }

  std::string version;
  std::string product;
  std::map<unsigned, std::vector<Hash48>> active;

 private:
  Status element() {
    const bool is_swid = in_.uri() == kSwidNamespace;
    if (in_.depth() == 1) {
      if (!is_swid || in_.local() != "SoftwareIdentity") return bad_manifest("not a SWID tag");
      return {};
    }
    if (!is_swid) return {};
    if (in_.depth() == 2 && in_.local() == "Meta") return meta();
    if (in_.depth() == 2 && in_.local() == "Payload") {
      if (has_payload_) return bad_manifest("a second Payload");
      has_payload_ = true;
      in_payload_ = true;
      return {};
    }
    if (in_.local() != "Resource") return {};
    if (in_.depth() != 3 || !in_payload_) return bad_manifest("a Resource outside Payload");
    return resource();
  }

  Status meta() {
    if (has_meta_) return bad_manifest("a second Meta");
    has_meta_ = true;
    version = attribute_of(in_, "colloquialVersion");
    product = attribute_of(in_, "product");
    return {};
  }

  Status resource() {
    const auto index = read_number(attribute_of(in_, "index"), kIndexMax);
    if (!index || seen_[*index]) return bad_manifest("a Resource's index is not a number of its own");
    seen_[*index] = true;
    const std::string_view state = attribute_of(in_, "active");
    if (state == "False") return {};
    if (state != "True" || attribute_of(in_, "type") != "Measurement")
      return bad_manifest("type or active of a Resource");
    EML_TRY(auto hashes, read_hashes(in_));
    active.emplace(*index, std::move(hashes));
    return {};
  }

  XmlReader in_;
  bool has_meta_ = false;
  bool has_payload_ = false;
  bool in_payload_ = false;
  std::array<bool, kIndexMax + 1> seen_{};
};

}  // namespace

Hash32 nvidia_rim_root() { return *to_array<32>(*from_hex(kCorimRoot)); }

Result<VerifiedRim> VerifiedRim::verify(ByteView xml, const Hash32& root, UnixSeconds time) {
  if (xml.size() > kNvidiaRimBytesMax) return bad_manifest("more than 1 MiB");
  const auto signed_xml = read_signed_xml(xml);
  if (!signed_xml) {
    if (signed_xml.error().code() == kXmlSignatureForm) {
      return fail(kNvidiaRimSignature, "no signature of the one form that is allowed");
    }
    return fail(kNvidiaRimXml, "not the XML that is allowed", signed_xml.error().first());
  }
  EML_TRY(const Certificate signer, verify_signer(*signed_xml, root, time));
  SwidParser parser(xml);
  EML_CHECK(parser.parse());
  VerifiedRim out;
  out.version_ = std::move(parser.version);
  out.product_ = std::move(parser.product);
  out.active_ = std::move(parser.active);
  out.signer_not_before_ = signer.not_before();
  out.signer_not_after_ = signer.not_after();
  return out;
}

RimComparison compare_rim(const VerifiedRim& rim, const GpuMeasurements& measured, RimRules rules) {
  RimComparison out;
  for (const auto& [index, values] : rim.active()) {
    if (rules.skip_nvdec0 && index == kNvdec0Index) continue;
    ++out.compared;
    const auto found = measured.find(index);
    if (found == measured.end() || std::ranges::find(values, found->second) == values.end()) {
      out.mismatching.push_back(index);
    }
  }
  return out;
}

}  // namespace eml
