// GpuIssuer makes reports of invented GPUs, their manifests and the remote service's tokens, under roots of its own,
// with any one thing wrong. It never is part of the product.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "crypto/hash.h"
#include "encoding/base64.h"
#include "encoding/der.h"
#include "encoding/json.h"
#include "tests/support/signer.h"

namespace eml::test {

struct GpuPlan {
  Bytes request_header{0x11, 0xe0, 0x01, 0xff};
  Bytes response_header{0x11, 0x60};
  Bytes nonce = Bytes(32, 0x42);
  std::map<unsigned, Bytes> measurements{
      {0, Bytes(48, 0xa0)}, {1, Bytes(48, 0xa1)}, {2, Bytes(48, 0xa2)}, {35, Bytes(48, 0xd0)}};
  std::string driver = "550.90.07";
  std::uint8_t nvdec0 = 0xaa;
  std::optional<Bytes> fwid = Bytes(48, 0xf1);
  std::function<void(Bytes& report)> change;         // request and response, before they are signed
  std::function<void(Bytes& report)> change_signed;  // after
  bool blackwell = false;                            // the form of the leaf's extension
  Bytes certified_fwid = Bytes(48, 0xf1);
  CertificateSpec leaf{
      .subject = "GH100 A01 GSP FMC LF", .issuer = "GH100 A01 GSP BROM", .extensions = {}, .hash = 384};
  CertificateSpec brom{.subject = "GH100 A01 GSP BROM", .issuer = "Provisioner ICA", .extensions = {}, .hash = 384};
  const Signer* signer = nullptr;
};

struct RimPlan {
  std::string version = "550.90.07";
  std::string product = "GH100";
  std::map<unsigned, std::vector<Bytes>> active{{1, {Bytes(48, 0x01), Bytes(48, 0xa1)}}, {35, {Bytes(48, 0x35)}}};
  CertificateSpec signer{.subject = "RIM L4 Signer", .issuer = "RIM root", .extensions = {}, .hash = 384};
  std::function<void(std::string& content)> change_content;  // before it is signed
  std::function<void(std::string& signed_info)> change_signed_info;
  std::function<void(std::string& xml)> change;  // after
};

class GpuIssuer {
 public:
  const Bytes& root() const { return root_der_; }
  const Bytes& rim_root() const { return rim_root_der_; }
  const Signer& brom_key() const { return brom_; }

  std::vector<Bytes> chain(const GpuPlan& plan) const {
    CertificateSpec leaf_spec = plan.leaf;
    if (leaf_spec.extensions.empty()) leaf_spec.extensions = {key_usage(true, false), fwid_extension(plan)};
    return {make_certificate(leaf_spec, leaf_.spki(), brom_), with_ca(plan.brom, brom_, ica_),
            with_ca(named("Provisioner ICA", "GH100 Identity"), ica_, identity_),
            with_ca(named("GH100 Identity", "Device Identity CA"), identity_, root_), root_der_};
  }

  static Bytes pem(const std::vector<Bytes>& chain) {
    std::string out;
    for (const Bytes& der : chain) out += pem_certificate(der);
    return to_bytes(out);
  }

  Bytes report(const GpuPlan& plan) const {
    Bytes record;
    for (const auto& [index, value] : plan.measurements) {
      record = concat(record, Bytes{static_cast<std::uint8_t>(index + 1), 1, 51, 0, 1, 48, 0}, value);
    }
    Bytes opaque = tlv(6, Bytes{0x00, 0x9f, 0x00, 0x96, 0x01, 0, 0, 0});
    opaque = concat(opaque, tlv(3, to_bytes(plan.driver + '\0')), tlv(11, Bytes{plan.nvdec0}), tlv(4096, Bytes{1, 2}));
    if (plan.fwid) opaque = concat(opaque, tlv(20, *plan.fwid));
    const auto count = static_cast<std::uint8_t>(plan.measurements.size());
    Bytes out = concat(plan.request_header, plan.nonce, Bytes{0}, plan.response_header, Bytes{0, 0, count},
                       le(record.size(), 3), record, Bytes(32, 0x77), le(opaque.size(), 2), opaque);
    if (plan.change) plan.change(out);
    out = concat(out, (plan.signer == nullptr ? leaf_ : *plan.signer).sign_raw(out, 384));
    if (plan.change_signed) plan.change_signed(out);
    return out;
  }

  // The document is written in its canonical form, so that its digest needs no canonicalisation of ours.
  Bytes rim(const RimPlan& plan) const {
    std::string content = std::string("<SoftwareIdentity ") + kNamespaces + ">\n<Meta colloquialVersion=\"" +
                          plan.version + "\" product=\"" + plan.product + "\"></Meta>\n<Payload>\n" + resources(plan) +
                          "</Payload>\n</SoftwareIdentity>";
    if (plan.change_content) plan.change_content(content);
    std::string info = signed_info(base64(sha384(as_bytes(content))));
    if (plan.change_signed_info) plan.change_signed_info(info);
    std::string canonical_info = info;
    canonical_info.replace(0, std::string_view("<ds:SignedInfo>").size(),
                           std::string("<ds:SignedInfo ") + kAllNamespaces + ">");
    CertificateSpec spec = plan.signer;
    if (spec.extensions.empty()) spec.extensions = leaf_extensions(spec.subject, spec.issuer);
    const Bytes signer_der = make_certificate(spec, rim_signer_.spki(), rim_root_);
    const std::string signature = std::string("<ds:Signature xmlns:ds=\"") + kDs + "\">" + info +
                                  "<ds:SignatureValue>" + base64(rim_signer_.sign_raw(as_bytes(canonical_info), 384)) +
                                  "</ds:SignatureValue><ds:KeyInfo><ds:X509Data>" + certificate_element(signer_der) +
                                  certificate_element(rim_root_der_) + "</ds:X509Data></ds:KeyInfo></ds:Signature>";
    content.insert(content.rfind("</SoftwareIdentity>"), signature);
    if (plan.change) plan.change(content);
    return to_bytes(content);
  }

  static constexpr const char* kDs = "http://www.w3.org/2000/09/xmldsig#";

 private:
  static constexpr const char* kNamespaces =
      "xmlns=\"http://standards.iso.org/iso/19770/-2/2015/schema.xsd\" "
      "xmlns:h=\"http://www.w3.org/2001/04/xmlenc#sha384\"";
  static constexpr const char* kAllNamespaces =
      "xmlns=\"http://standards.iso.org/iso/19770/-2/2015/schema.xsd\" xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" "
      "xmlns:h=\"http://www.w3.org/2001/04/xmlenc#sha384\"";

  static CertificateSpec named(std::string subject, std::string issuer) {
    return {.subject = std::move(subject), .issuer = std::move(issuer), .extensions = {}, .hash = 384};
  }
  static Bytes with_ca(CertificateSpec spec, const Signer& subject, const Signer& issuer) {
    if (spec.extensions.empty()) spec.extensions = ca_extensions(spec.subject, spec.issuer);
    return make_certificate(spec, subject.spki(), issuer);
  }
  static Bytes le(std::size_t value, std::size_t size) {
    Bytes out;
    for (std::size_t i = 0; i < size; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    return out;
  }
  static Bytes tlv(std::size_t type, ByteView value) { return concat(le(type, 2), le(value.size(), 2), value); }

  TestExtension fwid_extension(const GpuPlan& plan) const {
    const auto sequence = [](ByteView contents) { return der_element(der::kSequence, contents); };
    const Bytes fwid = sequence(concat(der_element(der::kOid, der_oid("2.16.840.1.101.3.4.2.2")),
                                       der_element(der::kOctetString, plan.certified_fwid)));
    if (plan.blackwell) {
      const Bytes members =
          concat(der_element(der::context_primitive(0), Bytes{'N'}), der_element(der::context(6), fwid));
      return {.oid = "2.23.133.5.4.1.1", .value = sequence(members)};
    }
    return {.oid = "2.23.133.5.4.1",
            .value = sequence(concat(der_element(der::kInteger, Bytes{1}), leaf_.spki(), fwid))};
  }

  static std::string resources(const RimPlan& plan) {
    std::string out;
    for (const auto& [index, hashes] : plan.active) {
      out += "<Resource active=\"True\" alternatives=\"" + std::to_string(hashes.size()) + "\" index=\"" +
             std::to_string(index) + "\" size=\"48\" type=\"Measurement\"";
      for (std::size_t i = 0; i < hashes.size(); ++i) {
        out += " h:Hash" + std::to_string(i) + "=\"" + hex(hashes[i]) + "\"";
      }
      out += "></Resource>\n";
    }
    return out + "<Resource active=\"False\" index=\"99\"></Resource>\n";
  }

  static std::string signed_info(const std::string& digest) {
    const auto algorithm = [](const std::string& element, const std::string& uri) {
      return "<ds:" + element + " Algorithm=\"" + uri + "\"></ds:" + element + ">";
    };
    const std::string c14n = "http://www.w3.org/2006/12/xml-c14n11";
    return "<ds:SignedInfo>" + algorithm("CanonicalizationMethod", c14n) +
           algorithm("SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384") +
           "<ds:Reference URI=\"\"><ds:Transforms>" + algorithm("Transform", std::string(kDs) + "enveloped-signature") +
           algorithm("Transform", c14n) + "</ds:Transforms>" +
           algorithm("DigestMethod", "http://www.w3.org/2001/04/xmldsig-more#sha384") + "<ds:DigestValue>" + digest +
           "</ds:DigestValue></ds:Reference></ds:SignedInfo>";
  }

  static std::string certificate_element(ByteView der) {
    return "<ds:X509Certificate>" + base64(der) + "</ds:X509Certificate>";
  }

  Signer root_{TestKey::kP384};
  Signer identity_{TestKey::kP384};
  Signer ica_{TestKey::kP384};
  Signer brom_{TestKey::kP384};
  Signer leaf_{TestKey::kP384};
  Signer rim_root_{TestKey::kP384};
  Signer rim_signer_{TestKey::kP384};
  // Made once: each signature of ECDSA is another.
  Bytes root_der_ = with_ca(named("Device Identity CA", "Device Identity CA"), root_, root_);
  Bytes rim_root_der_ = with_ca(named("RIM root", "RIM root"), rim_root_, rim_root_);
};

// NrasIssuer signs tokens as the remote service does.
struct NrasPlan {
  JsonObject overall{{"sub", "NVIDIA-PLATFORM-ATTESTATION"}, {"x-nvidia-overall-att-result", true}};
  std::vector<JsonObject> devices = std::vector<JsonObject>(2, good_device());
  JsonObject header{{"alg", "ES384"}, {"kid", "one"}};
  std::function<void(JsonObject& submods)> change_submods;
  std::function<void(std::vector<std::string>& tokens)> change_devices;  // after the overall token holds their digests
  bool device_signed_by_another = false;

  static JsonObject good_device() {
    return {{"measres", "success"},
            {"secboot", true},
            {"dbgstat", "disabled"},
            {"x-nvidia-gpu-arch-check", true},
            {"x-nvidia-gpu-driver-version", "595.71.05"}};
  }
};

class NrasIssuer {
 public:
  Bytes keys() const {
    const Bytes spki = key_.spki();
    const ByteView point = ByteView(spki).last(96);
    return to_bytes(compact_json(JsonObject{{"keys", JsonArray{JsonObject{{"kty", "EC"},
                                                                          {"crv", "P-384"},
                                                                          {"kid", "one"},
                                                                          {"x", base64url(point.first(48))},
                                                                          {"y", base64url(point.last(48))}}}}}));
  }

  Bytes tokens(const NrasPlan& plan, std::int64_t issued) const {
    std::vector<std::string> devices;
    for (const JsonObject& claims : plan.devices) {
      devices.push_back(token(plan.header, claims, issued, plan.device_signed_by_another ? other_ : key_));
    }
    JsonObject submods;
    for (std::size_t i = 0; i < devices.size(); ++i) {
      submods["GPU-" + std::to_string(i)] =
          JsonArray{"DIGEST", JsonArray{"SHA-256", hex(sha256(as_bytes(devices[i])))}};
    }
    if (plan.change_submods) plan.change_submods(submods);
    JsonObject overall = plan.overall;
    if (!overall.contains("submods")) overall["submods"] = std::move(submods);
    const std::string whole = token(plan.header, overall, issued, key_);
    if (plan.change_devices) plan.change_devices(devices);
    JsonObject named;
    for (std::size_t i = 0; i < devices.size(); ++i) named["GPU-" + std::to_string(i)] = devices[i];
    return to_bytes(compact_json(JsonArray{JsonArray{"JWT", whole}, std::move(named)}));
  }

 private:
  static std::string token(const JsonObject& header, JsonObject claims, std::int64_t issued, const Signer& key) {
    const auto preset = [&](const char* name, Json value) {
      if (!claims.contains(name)) claims[name] = std::move(value);
    };
    preset("iss", "https://nras.attestation.nvidia.com");
    preset("eat_nonce", Json(hex(Bytes(32, 0x42))));
    preset("iat", issued);
    preset("nbf", issued);
    preset("exp", issued + 3600);
    const std::string input =
        base64url(as_bytes(compact_json(header))) + "." + base64url(as_bytes(compact_json(claims)));
    return input + "." + base64url(key.sign_raw(as_bytes(input), 384));
  }

  Signer key_{TestKey::kP384};
  Signer other_{TestKey::kP384};
};

}  // namespace eml::test
