#include "tests/support/dcap.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <utility>

#include "crypto/hash.h"
#include "encoding/base64.h"
#include "encoding/der.h"

namespace eml::test::dcap {
namespace {

constexpr std::string_view kRootName = "Intel SGX Root CA";
constexpr std::string_view kPlatformName = "Intel SGX PCK Platform CA";
constexpr std::string_view kProcessorName = "Intel SGX PCK Processor CA";

void must(bool good) {
  if (!good) throw std::runtime_error("OpenSSL cannot make a test's key or signature");
}

Bytes oid(std::string_view dotted) { return der_element(der::kOid, der_oid(dotted)); }
Bytes sequence(const Bytes& contents) { return der_element(der::kSequence, contents); }
Bytes octets(ByteView contents) { return der_element(der::kOctetString, contents); }

Bytes number(std::uint64_t value, std::uint8_t tag = der::kInteger) {
  Bytes out;
  for (int shift = 56; shift >= 0; shift -= 8) {
    const auto byte = static_cast<std::uint8_t>(value >> shift);
    if (byte != 0 || !out.empty() || shift == 0) out.push_back(byte);
  }
  if ((out.front() & 0x80U) != 0) out.insert(out.begin(), 0);
  return der_element(tag, out);
}

Bytes boolean(bool value) {
  const ByteArray<1> byte{static_cast<std::uint8_t>(value ? 0xff : 0)};
  return der_element(der::kBoolean, byte);
}

// RFC 5280, 4.1.2.5: UTCTime up to 2049.
Bytes date(UnixSeconds seconds) {
  std::string text = rfc3339(seconds);
  std::erase_if(text, [](char c) { return c == '-' || c == ':' || c == 'T'; });
  const bool utc = text < "2050";
  return der_element(utc ? der::kUtcTime : der::kGeneralizedTime, as_bytes(utc ? text.substr(2) : text));
}

Bytes distinguished_name(std::string_view common_name) {
  const Bytes attribute = sequence(concat(oid("2.5.4.3"), der_element(der::kUtf8String, as_bytes(common_name))));
  return sequence(der_element(der::kSet, attribute));
}

Bytes ecdsa_sha256() { return sequence(oid("1.2.840.10045.4.3.2")); }

Bytes key_identifier(const EcKey& key) { return to_bytes(ByteView(sha256(key.point())).first(20)); }

Bytes extension(std::string_view dotted, bool critical, const Bytes& value) {
  return sequence(concat(oid(dotted), critical ? boolean(true) : Bytes{}, octets(value)));
}

Bytes authority_key(const EcKey& key) {
  return extension("2.5.29.35", false, sequence(der_element(der::context_primitive(0), key_identifier(key))));
}

Bytes bit_string(ByteView contents, std::uint8_t unused = 0) {
  return der_element(der::kBitString, concat(ByteArray<1>{unused}, contents));
}

Bytes signed_sequence(const Bytes& body, const EcKey& issuer) {
  return sequence(concat(body, ecdsa_sha256(), bit_string(issuer.sign_der(body))));
}

Bytes certificate_extensions(const CertificateSpec& spec) {
  const bool is_ca = spec.ca_path_length.has_value();
  const Bytes constraints = is_ca ? sequence(concat(boolean(true), number(*spec.ca_path_length))) : sequence(Bytes{});
  // keyCertSign and cRLSign, or digitalSignature and nonRepudiation.
  const ByteArray<1> usage{static_cast<std::uint8_t>(is_ca ? 0x06 : 0xc0)};
  Bytes out =
      concat(authority_key(*spec.issuer_key), extension("2.5.29.14", false, octets(key_identifier(*spec.key))),
             extension("2.5.29.15", true, bit_string(usage, is_ca ? 1 : 6)), extension("2.5.29.19", true, constraints));
  if (spec.sgx_extension) {
    const Bytes sgx = extension("1.2.840.113741.1.13.1", false, *spec.sgx_extension);
    out.insert(out.end(), sgx.begin(), sgx.end());
  }
  return sequence(out);
}

void le16(Bytes& out, std::uint16_t value) {
  out.push_back(static_cast<std::uint8_t>(value));
  out.push_back(static_cast<std::uint8_t>(value >> 8));
}

void le32(Bytes& out, std::uint32_t value) {
  le16(out, static_cast<std::uint16_t>(value));
  le16(out, static_cast<std::uint16_t>(value >> 16));
}

void append(Bytes& out, ByteView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }
void zeros(Bytes& out, std::size_t count) { out.insert(out.end(), count, 0); }

Bytes encode_enclave(const tdx::EnclaveReport& report) {
  Bytes out = concat(report.cpu_svn, report.misc_select);
  zeros(out, 28);
  append(out, report.attributes);
  append(out, report.mr_enclave);
  zeros(out, 32);
  append(out, report.mr_signer);
  zeros(out, 96);
  le16(out, report.isv_prod_id);
  le16(out, report.isv_svn);
  zeros(out, 60);
  append(out, report.report_data);
  return out;
}

Bytes encode_td(const tdx::TdReport& td, bool is_15) {
  Bytes out = concat(td.tee_tcb_svn, td.mrseam, td.mrsignerseam, td.seamattributes, td.tdattributes, td.xfam, td.mrtd,
                     td.mrconfigid, td.mrowner, td.mrownerconfig, td.rtmr[0], td.rtmr[1], td.rtmr[2], td.rtmr[3],
                     td.report_data);
  if (!is_15) return out;
  append(out, td.tee_tcb_svn2.value_or(tdx::TcbSvn{}));
  append(out, td.mrservicetd.value_or(Hash48{}));
  return out;
}

JsonArray components(const ByteArray<16>& svns) {
  JsonArray out;
  for (const std::uint8_t svn : svns) out.push_back(JsonObject{{"svn", svn}});
  return out;
}

JsonObject module_json() {
  return {{"mrsigner", std::string(96, '0')},
          {"attributes", std::string(16, '0')},
          {"attributesMask", std::string(16, 'F')}};
}

void add_advisories(JsonObject& level, const std::vector<std::string>& advisories) {
  if (advisories.empty()) return;
  JsonArray ids;
  for (const std::string& id : advisories) ids.emplace_back(id);
  level.emplace("advisoryIDs", std::move(ids));
}

JsonObject good_tcb_info() {
  JsonObject identity = module_json();
  identity.emplace("id", "TDX_01");
  identity.emplace("tcbLevels", JsonArray{svn_level(5, "UpToDate"), svn_level(3, "OutOfDate", {"SA-MODULE"}),
                                          svn_level(1, "Revoked")});
  return {{"id", "TDX"},
          {"version", 3},
          {"issueDate", "2026-05-25T00:00:00Z"},
          {"nextUpdate", "2026-06-24T00:00:00Z"},
          {"fmspc", "AABBCC000000"},
          {"pceId", "0000"},
          {"tcbType", 0},
          {"tcbEvaluationDataNumber", 20},
          {"tdxModule", module_json()},
          {"tdxModuleIdentities", JsonArray{std::move(identity)}},
          {"tcbLevels", JsonArray{platform_level({5, 5, 2}, 13, {5, 0, 6}, "UpToDate"),
                                  platform_level({3, 3, 2}, 11, {3, 0, 4}, "OutOfDate", {"SA-PLATFORM"}),
                                  platform_level({1, 1, 1}, 5, {1, 0, 1}, "Revoked")}}};
}

JsonObject good_qe_identity() {
  return {{"id", "TD_QE"},
          {"version", 2},
          {"issueDate", "2026-05-25T00:00:00Z"},
          {"nextUpdate", "2026-06-24T00:00:00Z"},
          {"tcbEvaluationDataNumber", 20},
          {"miscselect", "00000000"},
          {"miscselectMask", "FFFFFFFF"},
          {"attributes", "11000000000000000000000000000000"},
          {"attributesMask", "FBFFFFFFFFFFFFFF0000000000000000"},
          {"mrsigner", std::string(64, 'D')},
          {"isvprodid", 2},
          {"tcbLevels",
           JsonArray{svn_level(4, "UpToDate"), svn_level(2, "OutOfDate", {"SA-QE"}), svn_level(1, "Revoked")}}};
}

Bytes sealed(std::string_view name, const JsonObject& body, const EcKey& signer) {
  const std::string text = compact_json(Json(body));
  return to_bytes("{\"" + std::string(name) + "\":" + text + ",\"signature\":\"" +
                  hex(signer.sign_raw(as_bytes(text))) + "\"}");
}

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out += part;
  return out;
}

Bytes header_and_body(const Plan& plan) {
  const bool is_td = plan.body != tdx::BodyType::kEnclave;
  const Bytes body = is_td ? encode_td(plan.td, plan.body == tdx::BodyType::kTd15) : encode_enclave(plan.enclave);
  Bytes out;
  le16(out, plan.version);
  le16(out, plan.attestation_key_type);
  le32(out, plan.tee_type.value_or(is_td ? 0x81 : 0));
  le32(out, 0);
  append(out, *from_hex("939a7233f79c4ca9940a0db3957f0607"));
  out[12] = plan.vendor_first_byte;
  zeros(out, 20);
  if (plan.version == 5) {
    le16(out, plan.body_type.value_or(static_cast<std::uint16_t>(plan.body)));
    le32(out, plan.body_size.value_or(static_cast<std::uint32_t>(body.size())));
  }
  append(out, body);
  return out;
}

// From the QE report to the end of the certificates.
Bytes certification(const Plan& plan, ByteView attestation_key, const std::string& chain) {
  tdx::EnclaveReport qe = plan.qe;
  const Hash32 digest = sha256(concat(attestation_key, plan.auth_data));
  std::ranges::copy(plan.qe_report_data.value_or(to_bytes(ByteView(digest))), qe.report_data.begin());
  Bytes out = encode_enclave(qe);
  append(out, plan.qe_report_signer->sign_raw(out));
  le16(out, static_cast<std::uint16_t>(plan.auth_data.size()));
  append(out, plan.auth_data);
  le16(out, plan.certification_type);
  le32(out, static_cast<std::uint32_t>(chain.size()));
  append(out, as_bytes(chain));
  return out;
}

Bytes make_quote(const Plan& plan, const std::string& chain) {
  Bytes out = header_and_body(plan);
  const Bytes attestation_key = plan.attestation_key.value_or(plan.quote_signer->point());
  Bytes data = concat(plan.quote_signer->sign_raw(out), attestation_key);
  const Bytes inner = certification(plan, attestation_key, chain);
  if (plan.version != 3) {
    le16(data, plan.outer_certification_type);
    le32(data, static_cast<std::uint32_t>(inner.size()));
  }
  append(data, inner);
  le32(out, static_cast<std::uint32_t>(data.size()));
  append(out, data);
  append(out, plan.padding);
  return out;
}

}  // namespace

struct EcKey::State {
  EVP_PKEY* pkey = nullptr;
};

EcKey::EcKey() : state_(std::make_unique<State>()) {
  state_->pkey = EVP_EC_gen("P-256");
  must(state_->pkey != nullptr);
}

EcKey::~EcKey() {
  if (state_) EVP_PKEY_free(state_->pkey);
}

EcKey::EcKey(EcKey&&) noexcept = default;
EcKey& EcKey::operator=(EcKey&&) noexcept = default;

Bytes EcKey::spki() const {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(state_->pkey, &der);
  must(size > 0);
  Bytes out(der, der + size);
  OPENSSL_free(der);
  return out;
}

// The point ends the SubjectPublicKeyInfo of an uncompressed key.
Bytes EcKey::point() const { return to_bytes(ByteView(spki()).last(64)); }

Bytes EcKey::sign_der(ByteView message) const {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  std::size_t size = 0;
  must(EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, state_->pkey) == 1);
  must(EVP_DigestSign(context, nullptr, &size, message.data(), message.size()) == 1);
  Bytes out(size);
  must(EVP_DigestSign(context, out.data(), &size, message.data(), message.size()) == 1);
  EVP_MD_CTX_free(context);
  out.resize(size);
  return out;
}

Bytes EcKey::sign_raw(ByteView message) const {
  const Bytes der = sign_der(message);
  const unsigned char* at = der.data();
  ECDSA_SIG* signature = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
  must(signature != nullptr);
  Bytes out(64);
  must(BN_bn2binpad(ECDSA_SIG_get0_r(signature), out.data(), 32) == 32);
  must(BN_bn2binpad(ECDSA_SIG_get0_s(signature), out.data() + 32, 32) == 32);
  ECDSA_SIG_free(signature);
  return out;
}

const EcKey& key(const std::string& name) {
  static std::map<std::string, EcKey> keys;
  return keys[name];
}

UnixSeconds time() { return *parse_rfc3339("2026-06-01T00:00:00Z"); }

Bytes make_certificate(const CertificateSpec& spec) {
  const Bytes version = der_element(der::context(0), number(2));
  const Bytes body =
      sequence(concat(version, number(spec.serial), ecdsa_sha256(), distinguished_name(spec.issuer),
                      sequence(concat(date(spec.not_before), date(spec.not_after))), distinguished_name(spec.name),
                      spec.key->spki(), der_element(der::context(3), certificate_extensions(spec))));
  return signed_sequence(body, *spec.issuer_key);
}

std::string to_pem(ByteView certificate) {
  const std::string text = base64(certificate);
  std::string out = "-----BEGIN CERTIFICATE-----\n";
  for (std::size_t at = 0; at < text.size(); at += 64) out += text.substr(at, 64) + "\n";
  return out + "-----END CERTIFICATE-----\n";
}

Bytes make_crl(const CrlSpec& spec) {
  Bytes entries;
  for (const std::uint64_t serial : spec.revoked) {
    append(entries, sequence(concat(number(serial), date(spec.this_update))));
  }
  const Bytes extensions = concat(spec.with_number ? extension("2.5.29.20", false, number(1)) : Bytes{},
                                  spec.with_key_identifier ? authority_key(*spec.issuer_key) : Bytes{});
  const Bytes body = sequence(
      concat(number(1), ecdsa_sha256(), distinguished_name(spec.issuer), date(spec.this_update),
             spec.next_update ? date(*spec.next_update) : Bytes{}, entries.empty() ? Bytes{} : sequence(entries),
             extensions.empty() ? Bytes{} : der_element(der::context(0), sequence(extensions))));
  return signed_sequence(body, *spec.issuer_key);
}

Bytes make_sgx_extension(const PckSpec& spec) {
  const std::string base = "1.2.840.113741.1.13.1";
  const auto member = [](const std::string& dotted, const Bytes& value) {
    return sequence(concat(oid(dotted), value));
  };
  Bytes tcb;
  for (unsigned i = 0; i < 16; ++i) {
    append(tcb, member(base + ".2." + std::to_string(i + 1), number(spec.components[i])));
  }
  append(tcb, member(base + ".2.17", number(spec.pcesvn)));
  append(tcb, member(base + ".2.18", octets(spec.components)));
  return sequence(concat(
      member(base + ".1", octets(spec.ppid)), member(base + ".2", sequence(tcb)),
      member(base + ".3", octets(spec.pceid)), member(base + ".4", octets(spec.fmspc)),
      member(base + ".5", number(1, der::kEnumerated)), member(base + ".6", octets(Bytes(16, 0x66))),
      member(base + ".7", sequence(concat(member(base + ".7.1", boolean(true)), member(base + ".7.2", boolean(true)),
                                          member(base + ".7.3", boolean(false)))))));
}

JsonObject platform_level(const ByteArray<16>& sgx, std::uint16_t pcesvn, const ByteArray<16>& tdx,
                          std::string_view status, const std::vector<std::string>& advisories) {
  JsonObject out{
      {"tcb",
       JsonObject{{"sgxtcbcomponents", components(sgx)}, {"pcesvn", pcesvn}, {"tdxtcbcomponents", components(tdx)}}},
      {"tcbDate", "2025-01-01T00:00:00Z"},
      {"tcbStatus", status}};
  add_advisories(out, advisories);
  return out;
}

JsonObject svn_level(std::uint16_t isvsvn, std::string_view status, const std::vector<std::string>& advisories) {
  JsonObject out{{"tcb", JsonObject{{"isvsvn", isvsvn}}}, {"tcbDate", "2025-01-01T00:00:00Z"}, {"tcbStatus", status}};
  add_advisories(out, advisories);
  return out;
}

Plan::Plan() {
  td.tee_tcb_svn = {5, 1, 6};
  td.mrtd.fill(0x77);
  for (std::size_t i = 0; i < td.rtmr.size(); ++i) td.rtmr[i].fill(static_cast<std::uint8_t>(0x10 + i));
  td.tdattributes = {0, 0, 0, 0x10};  // SEPT_VE_DISABLE
  td.report_data.fill(0x42);
  enclave.attributes = {0x05};
  enclave.report_data.fill(0x43);
  qe.attributes = {0x11};
  qe.mr_signer.fill(0xdd);
  qe.isv_prod_id = 2;
  qe.isv_svn = 4;
  pck.components = {5, 5, 2};
  pck.pcesvn = 13;
  const UnixSeconds from = *parse_rfc3339("2020-01-01T00:00:00Z");
  const UnixSeconds to = *parse_rfc3339("2033-01-01T00:00:00Z");
  const auto certificate = [&](std::string_view name, std::string_view key_name, std::uint64_t serial) {
    return CertificateSpec{.name = std::string(name),
                           .issuer = std::string(kRootName),
                           .key = &key(std::string(key_name)),
                           .issuer_key = &key("root"),
                           .serial = serial,
                           .not_before = from,
                           .not_after = to,
                           .ca_path_length = {},
                           .sgx_extension = {}};
  };
  root_certificate = certificate(kRootName, "root", 1);
  root_certificate.ca_path_length = 1;
  ca_certificate = certificate(kPlatformName, "ca", 2);
  ca_certificate.ca_path_length = 0;
  pck_certificate = certificate("Intel SGX PCK Certificate", "pck", 1000);
  pck_certificate.issuer = kPlatformName;
  pck_certificate.issuer_key = &key("ca");
  tcb_certificate = certificate("Intel SGX TCB Signing", "tcb", 3);
  const UnixSeconds week = 7 * 86400;
  root_crl = {.issuer = std::string(kRootName),
              .issuer_key = &key("root"),
              .this_update = time() - week,
              .next_update = time() + week,
              .revoked = {99}};
  pck_crl = {.issuer = std::string(kPlatformName),
             .issuer_key = &key("ca"),
             .this_update = time() - week,
             .next_update = time() + week,
             .revoked = {}};
  tcb_info = good_tcb_info();
  qe_identity = good_qe_identity();
  tcb_info_signer = qe_identity_signer = &key("tcb");
  qe_report_signer = &key("pck");
  quote_signer = &key("ak");
}

void Plan::for_sgx(std::uint16_t version_of_quote) {
  version = version_of_quote;
  body = tdx::BodyType::kEnclave;
  tcb_info["id"] = "SGX";
  tcb_info.erase("tdxModule");
  tcb_info.erase("tdxModuleIdentities");
  qe_identity["id"] = "QE";
}

void Plan::for_td15() {
  version = 5;
  body = tdx::BodyType::kTd15;
  td.tee_tcb_svn2 = td.tee_tcb_svn;
  td.mrservicetd = Hash48{};
}

Made Plan::make() const {
  CertificateSpec pck_spec = pck_certificate;
  CertificateSpec ca_spec = ca_certificate;
  CrlSpec pck_crl_spec = pck_crl;
  if (processor_ca) ca_spec.name = pck_spec.issuer = pck_crl_spec.issuer = kProcessorName;
  if (with_sgx_extension && !pck_spec.sgx_extension) pck_spec.sgx_extension = make_sgx_extension(pck);
  Made out;
  out.root = made_root.empty() ? make_certificate(root_certificate) : made_root;
  const std::string root_pem = to_pem(out.root);
  std::vector<std::string> chain{to_pem(make_certificate(pck_spec)), to_pem(make_certificate(ca_spec)), root_pem};
  edit_pck_chain(chain);
  std::vector<std::string> tcb_chain{to_pem(make_certificate(tcb_certificate)), root_pem};
  edit_tcb_chain(tcb_chain);
  out.quote = make_quote(*this, joined(chain));
  out.collateral = {{"root_crl", make_crl(root_crl)},
                    {"pck_crl", make_crl(pck_crl_spec)},
                    {"tcb_signing_chain", to_bytes(joined(tcb_chain))},
                    {"tcb_info", sealed("tcbInfo", tcb_info, *tcb_info_signer)},
                    {"qe_identity", sealed("enclaveIdentity", qe_identity, *qe_identity_signer)}};
  return out;
}

}  // namespace eml::test::dcap
