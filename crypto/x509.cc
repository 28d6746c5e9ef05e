#include "crypto/x509.h"

#include <algorithm>
#include <array>
#include <limits>

#include "crypto/hash.h"
#include "crypto/x509_decode.h"
#include "encoding/base64.h"

namespace eml {
namespace {

using x509::Extension;

constexpr std::string_view kBasicConstraints = "2.5.29.19";
constexpr std::string_view kKeyUsage = "2.5.29.15";
constexpr std::string_view kSubjectKeyIdentifier = "2.5.29.14";
constexpr std::string_view kSubjectAltName = "2.5.29.17";
constexpr std::size_t kEmptyNameSize = 2;  // 30 00

// Critical extensions that this file judges, or that only narrow what a key may be used for outside these procedures
// (extended key usage, policies, where to look for revocation).
constexpr std::array<std::string_view, 8> kKnownCritical = {
    kBasicConstraints, kKeyUsage,   kSubjectAltName, kSubjectKeyIdentifier, x509::kAuthorityKeyIdentifier,
    "2.5.29.37",       "2.5.29.32", "2.5.29.31"};
// The vendors' own arcs: private enterprises (AMD), Intel, TCG. Their readers judge them.
constexpr std::array<std::string_view, 3> kVendorArcs = {"1.3.6.1.4.1", "1.2.840.113741", "2.23.133"};

bool is_known(ByteView oid) {
  const auto same = [&](std::string_view dotted) { return equal(oid, der_oid(dotted)); };
  const auto below = [&](std::string_view dotted) {
    const Bytes arc = der_oid(dotted);
    return oid.size() > arc.size() && equal(oid.first(arc.size()), arc);
  };
  return std::ranges::any_of(kKnownCritical, same) || std::ranges::any_of(kVendorArcs, below);
}

struct BasicConstraints {
  bool is_ca = false;
  std::optional<unsigned> path_length;
};

Result<BasicConstraints> read_basic_constraints(ByteView value) {
  DerReader outer(value);
  EML_TRY(DerReader inside, outer.enter(der::kSequence));
  EML_CHECK(outer.expect_end());
  BasicConstraints out;
  if (inside.next_is(der::kBoolean)) {
    EML_TRY(out.is_ca, inside.boolean());
  }
  if (!inside.at_end()) {
    EML_TRY(const std::uint64_t length, inside.integer());
    out.path_length = static_cast<unsigned>(std::min<std::uint64_t>(length, std::numeric_limits<unsigned>::max()));
  }
  EML_CHECK(inside.expect_end());
  return out;
}

Result<KeyUsage> read_key_usage(ByteView value) {
  DerReader reader(value);
  EML_TRY(const DerValue bits, reader.expect(der::kBitString));
  EML_CHECK(reader.expect_end());
  if (bits.contents.size() < 2 || bits.contents[0] > 7) return fail(kDerMalformed, "a key usage has no bits");
  const std::uint8_t first = bits.contents[1];  // bit 0 is the uppermost
  return KeyUsage{.present = true,
                  .digital_signature = (first & 0x80) != 0,
                  .key_cert_sign = (first & 0x04) != 0,
                  .crl_sign = (first & 0x02) != 0};
}

// keyIdentifier [0] of an AuthorityKeyIdentifier; nothing if it has none.
std::optional<ByteView> authority_key_id(ByteView value) {
  DerReader outer(value);
  auto inside = outer.enter(der::kSequence);
  if (!inside || !inside->next_is(der::context_primitive(0))) return std::nullopt;
  const auto id = inside->any();
  return id ? std::optional(id->contents) : std::nullopt;
}

}  // namespace

struct Certificate::State {
  Bytes der;  // all views below are of it
  Hash32 fingerprint{};
  ByteView signed_bytes;
  ByteView signature;
  std::optional<SignatureScheme> scheme;
  UnixSeconds not_before = 0;
  UnixSeconds not_after = 0;
  Bytes serial;
  Bytes subject;
  Bytes issuer;
  std::string subject_common_name;
  std::string issuer_common_name;
  BasicConstraints basic_constraints;
  KeyUsage key_usage;
  std::vector<Extension> extensions;
  bool has_unknown_critical = false;
  std::optional<PublicKey> key;

  Status read();
  Status read_fields(DerReader inside, ByteView algorithm);
  Status read_validity(DerReader& inside);
  Status read_names_and_key(DerReader& inside);
  Status read_known_extensions();
  std::optional<ByteView> extension(std::string_view oid) const;
  bool is_critical(std::string_view oid) const;
};

std::optional<ByteView> Certificate::State::extension(std::string_view oid) const {
  const Extension* const found = x509::find(extensions, oid);
  return found == nullptr ? std::nullopt : std::optional(found->value);
}

bool Certificate::State::is_critical(std::string_view oid) const {
  const Extension* const found = x509::find(extensions, oid);
  return found != nullptr && found->critical;
}

Status Certificate::State::read_known_extensions() {
  if (const auto value = extension(kBasicConstraints)) {
    EML_TRY(basic_constraints, read_basic_constraints(*value));
  }
  if (const auto value = extension(kKeyUsage)) {
    EML_TRY(key_usage, read_key_usage(*value));
  }
  has_unknown_critical =
      std::ranges::any_of(extensions, [](const Extension& e) { return e.critical && !is_known(e.oid); });
  return {};
}

Status Certificate::State::read_validity(DerReader& inside) {
  EML_TRY(DerReader validity, inside.enter(der::kSequence));
  EML_TRY(not_before, validity.time());
  EML_TRY(not_after, validity.time());
  return validity.expect_end();
}

// issuer, validity, subject, key: TBSCertificate's order
Status Certificate::State::read_names_and_key(DerReader& inside) {
  EML_TRY(const x509::Name issuer_name, x509::read_name(inside));
  EML_CHECK(read_validity(inside));
  EML_TRY(const x509::Name subject_name, x509::read_name(inside));
  EML_TRY(const DerValue spki, inside.expect(der::kSequence));
  EML_TRY(key, PublicKey::decode_spki(spki.whole));
  issuer = to_bytes(issuer_name.whole);
  issuer_common_name = issuer_name.common_name;
  subject = to_bytes(subject_name.whole);
  subject_common_name = subject_name.common_name;
  return {};
}

Status Certificate::State::read_fields(DerReader inside, ByteView algorithm) {
  EML_TRY(DerReader version_field, inside.enter(der::context(0)));
  EML_TRY(const std::uint64_t version, version_field.integer());
  EML_CHECK(version_field.expect_end());
  if (version != 2) return fail(kDerMalformed, "a certificate is not of version 3", version);
  EML_TRY(const ByteView number, inside.unsigned_integer());
  serial = to_bytes(number);
  EML_TRY(const DerValue inner_algorithm, inside.expect(der::kSequence));
  if (!equal(inner_algorithm.whole, algorithm))
    return fail(kDerMalformed, "a certificate names two signature algorithms");
  EML_CHECK(read_names_and_key(inside));
  for (const std::uint8_t unique_id : {der::context_primitive(1), der::context_primitive(2)}) {
    if (inside.next_is(unique_id)) EML_CHECK(inside.any());
  }
  if (inside.at_end()) return {};
  EML_TRY(const DerReader extension_field, inside.enter(der::context(3)));
  EML_CHECK(inside.expect_end());
  EML_TRY(extensions, x509::read_extensions(extension_field));
  return read_known_extensions();
}

Status Certificate::State::read() {
  EML_TRY(const x509::SignedData data, x509::read_signed(der));
  signed_bytes = data.signed_bytes;
  signature = data.signature;
  scheme = x509::signature_scheme(data.algorithm);
  EML_CHECK(read_fields(data.inside, data.algorithm));
  fingerprint = sha256(der);
  return {};
}

Result<Certificate> Certificate::decode_der(ByteView der) {
  if (der.size() > kCertificateBytesMax)
    return fail(kCertificateMalformed, "a certificate is larger than we accept", kCertificateBytesMax, der.size());
  auto state = std::make_shared<State>();
  state->der = to_bytes(der);
  if (const auto status = state->read(); !status) {
    if (status.error().code() == kDerMalformed)
      return fail(kCertificateMalformed, "a certificate is not well-formed DER", status.error().first());
    return fail(kCertificateMalformed, "a certificate holds a key that we do not accept");
  }
  return Certificate(std::move(state));
}

const Bytes& Certificate::der() const { return state_->der; }
const Hash32& Certificate::fingerprint() const { return state_->fingerprint; }
UnixSeconds Certificate::not_before() const { return state_->not_before; }
UnixSeconds Certificate::not_after() const { return state_->not_after; }
const Bytes& Certificate::serial() const { return state_->serial; }
const Bytes& Certificate::subject() const { return state_->subject; }
const Bytes& Certificate::issuer() const { return state_->issuer; }
const std::string& Certificate::subject_common_name() const { return state_->subject_common_name; }
const std::string& Certificate::issuer_common_name() const { return state_->issuer_common_name; }
bool Certificate::is_ca() const { return state_->basic_constraints.is_ca; }
std::optional<unsigned> Certificate::path_length() const { return state_->basic_constraints.path_length; }
const KeyUsage& Certificate::key_usage() const { return state_->key_usage; }
const PublicKey& Certificate::public_key() const { return *state_->key; }

std::optional<ByteView> Certificate::extension_view(std::string_view oid) const { return state_->extension(oid); }

std::optional<Bytes> Certificate::extension(std::string_view oid) const {
  const auto view = extension_view(oid);
  return view ? std::optional(to_bytes(*view)) : std::nullopt;
}

Status Certificate::signed_by(const PublicKey& key) const {
  return x509::verify_signed(key, state_->scheme, state_->signed_bytes, state_->signature);
}

// The rules of one certificate that X509_V_FLAG_X509_STRICT adds.
Status Certificate::keeps_rfc5280_strictly() const {
  const bool self_issued = equal(subject(), issuer());
  const auto authority = extension_view(x509::kAuthorityKeyIdentifier);
  if (issuer().size() <= kEmptyNameSize) return fail(kChainInvalid, "an issuer has no name");
  if (subject().size() <= kEmptyNameSize && (is_ca() || !extension_view(kSubjectAltName)))
    return fail(kChainInvalid, "a subject has no name");
  if (is_ca() && (!state_->is_critical(kBasicConstraints) || !key_usage().present))
    return fail(kChainInvalid, "a CA has no key usage, or basic constraints that are not critical");
  if (path_length() && (!is_ca() || !key_usage().key_cert_sign))
    return fail(kChainInvalid, "a path length is given by what is no CA");
  if (!is_ca() && key_usage().key_cert_sign) return fail(kChainInvalid, "what is no CA may sign certificates");
  if (is_ca() && !extension_view(kSubjectKeyIdentifier))
    return fail(kChainInvalid, "a CA has no subject key identifier");
  if (!self_issued && (!authority || !authority_key_id(*authority)))
    return fail(kChainInvalid, "a certificate has no authority key identifier");
  if (state_->is_critical(x509::kAuthorityKeyIdentifier) || state_->is_critical(kSubjectKeyIdentifier))
    return fail(kChainInvalid, "a key identifier is critical");
  return {};
}

// `certificates_below`: between this one and the leaf, without either.
Status Certificate::is_issuer_of(const Certificate& child, unsigned certificates_below) const {
  if (!equal(child.issuer(), subject())) return fail(kChainInvalid, "an issuer has another name than its certificate");
  if (!is_ca()) return fail(kChainInvalid, "an issuer is no CA");
  if (key_usage().present && !key_usage().key_cert_sign)
    return fail(kChainInvalid, "an issuer must not sign certificates");
  if (path_length() && *path_length() < certificates_below)
    return fail(kChainInvalid, "a chain is longer than an issuer allows");
  const auto authority = child.extension_view(x509::kAuthorityKeyIdentifier);
  const auto wanted = authority ? authority_key_id(*authority) : std::nullopt;
  const auto own = extension_view(kSubjectKeyIdentifier);
  if (!wanted || !own) return {};
  const auto id = DerReader(*own).octet_string();
  if (!id || !equal(*id, *wanted)) return fail(kChainInvalid, "an issuer has another key identifier");
  return {};
}

namespace {

bool is_self_issued(const Certificate& certificate) { return equal(certificate.subject(), certificate.issuer()); }

Status is_trusted(std::span<const Certificate> chain, const Certificate& root) {
  if (chain.empty()) return fail(kChainNotTrusted, "a chain is empty");
  const Certificate& last = chain.back();
  if (last.fingerprint() == root.fingerprint()) return {};
  if (is_self_issued(last) || !equal(last.issuer(), root.subject()))
    return fail(kChainNotTrusted, "a chain ends in another root", chain.size() - 1);
  return {};
}

Status at_place(const Status& status, std::size_t place) {
  if (status) return {};
  // An Error's text is a literal of the one who made it; here only the place is added.
  const ErrorCode& code = status.error().code();
  if (code == kChainSignature) return fail(kChainSignature, "a certificate is not signed by its issuer", place);
  return fail(kChainInvalid, "a certificate breaks the rules of a chain", place);
}

Status judge_dates(const Certificate& certificate, UnixSeconds time, std::size_t place) {
  if (time > certificate.not_after()) return fail(kChainExpired, "a certificate has expired", place);
  if (time < certificate.not_before()) return fail(kChainNotYetValid, "a certificate is not valid yet", place);
  return {};
}

}  // namespace

Status verify_chain(std::span<const Certificate> chain, const Certificate& root, UnixSeconds time, ChainRules rules) {
  if (chain.size() > kChainCertificatesMax)
    return fail(kCertificatesTooMany, "a chain has too many certificates", kChainCertificatesMax, chain.size());
  EML_CHECK(is_trusted(chain, root));
  std::vector<const Certificate*> path;
  for (const Certificate& certificate : chain) path.push_back(&certificate);
  if (chain.back().fingerprint() != root.fingerprint()) path.push_back(&root);

  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i]->state_->has_unknown_critical)
      return fail(kChainInvalid, "a certificate has a critical extension that we do not know", i);
    if (rules.strict) EML_CHECK(at_place(path[i]->keeps_rfc5280_strictly(), i));
    if (i > 0) EML_CHECK(at_place(path[i]->is_issuer_of(*path[i - 1], static_cast<unsigned>(i - 1)), i));
  }
  for (std::size_t i = 0; i + 1 < path.size(); ++i)
    EML_CHECK(at_place(path[i]->signed_by(path[i + 1]->public_key()), i));
  if (!rules.judge_dates) return {};
  for (std::size_t i = 0; i < path.size(); ++i) EML_CHECK(judge_dates(*path[i], time, i));
  return {};
}

namespace {

constexpr std::string_view kPemBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kPemEnd = "-----END CERTIFICATE-----";

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

void skip_space(std::string_view& text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
}

Result<Certificate> take_pem_certificate(std::string_view& text) {
  if (!text.starts_with(kPemBegin)) return fail(kCertificateMalformed, "something else than a PEM certificate");
  const std::size_t end = text.find(kPemEnd);
  if (end == std::string_view::npos) return fail(kCertificateMalformed, "a PEM certificate has no end");
  std::string body(text.substr(kPemBegin.size(), end - kPemBegin.size()));
  text.remove_prefix(end + kPemEnd.size());
  std::erase_if(body, is_space);
  const auto der = from_base64(body);
  if (!der) return fail(kCertificateMalformed, "a PEM certificate is not base64");
  return Certificate::decode_der(*der);
}

}  // namespace

Result<std::vector<Certificate>> decode_pem_certificates(ByteView pem, std::size_t count_max) {
  std::string_view text = as_text(pem);
  if (text.ends_with('\0')) text.remove_suffix(1);
  std::vector<Certificate> out;
  for (skip_space(text); !text.empty(); skip_space(text)) {
    if (out.size() == count_max) return fail(kCertificatesTooMany, "there are too many certificates", count_max);
    EML_TRY(Certificate certificate, take_pem_certificate(text));
    out.push_back(std::move(certificate));
  }
  if (out.empty()) return fail(kCertificateMalformed, "there is no PEM certificate");
  return out;
}

}  // namespace eml
