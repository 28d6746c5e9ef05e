#include <algorithm>

#include "crypto/x509.h"
#include "crypto/x509_decode.h"

namespace eml {
namespace {

constexpr std::string_view kCrlNumber = "2.5.29.20";

bool is_time(const DerReader& reader) { return reader.next_is(der::kUtcTime) || reader.next_is(der::kGeneralizedTime); }

// SEQUENCE { serial, revocation date, extensions OPTIONAL }; what a critical entry extension means is not known here.
Result<ByteView> read_entry(DerReader& entries) {
  EML_TRY(DerReader entry, entries.enter(der::kSequence));
  EML_TRY(const ByteView serial, entry.unsigned_integer());
  EML_CHECK(entry.time());
  if (entry.at_end()) return serial;
  EML_TRY(const auto extensions, x509::read_extensions(entry));
  if (std::ranges::any_of(extensions, &x509::Extension::critical))
    return fail(kDerMalformed, "an entry of a revocation list has a critical extension");
  return serial;
}

}  // namespace

struct RevocationList::State {
  Bytes der;  // all views below are of it
  ByteView signed_bytes;
  ByteView signature;
  std::optional<SignatureScheme> scheme;
  Bytes issuer;
  std::string issuer_common_name;
  UnixSeconds this_update = 0;
  std::optional<UnixSeconds> next_update;
  std::vector<ByteView> serials;
  bool has_crl_number = false;
  bool has_authority_key_identifier = false;

  Status read();
  Status read_fields(DerReader inside, ByteView algorithm);
  Status read_entries_and_extensions(DerReader& inside);
};

Status RevocationList::State::read_entries_and_extensions(DerReader& inside) {
  EML_TRY(auto entries, inside.enter_if(der::kSequence));
  while (entries && !entries->at_end()) {
    EML_TRY(const ByteView serial, read_entry(*entries));
    serials.push_back(serial);
  }
  EML_TRY(const auto field, inside.enter_if(der::context(0)));
  EML_CHECK(inside.expect_end());
  if (!field) return {};
  EML_TRY(const auto extensions, x509::read_extensions(*field));
  if (std::ranges::any_of(extensions, &x509::Extension::critical))
    return fail(kDerMalformed, "a revocation list has a critical extension");
  has_crl_number = x509::find(extensions, kCrlNumber) != nullptr;
  has_authority_key_identifier = x509::find(extensions, x509::kAuthorityKeyIdentifier) != nullptr;
  return {};
}

Status RevocationList::State::read_fields(DerReader inside, ByteView algorithm) {
  EML_TRY(const std::uint64_t version, inside.integer());
  if (version != 1) return fail(kDerMalformed, "a revocation list is not of version 2", version);
  EML_TRY(const DerValue inner_algorithm, inside.expect(der::kSequence));
  if (!equal(inner_algorithm.whole, algorithm))
    return fail(kDerMalformed, "a revocation list names two signature algorithms");
  EML_TRY(const x509::Name name, x509::read_name(inside));
  issuer = to_bytes(name.whole);
  issuer_common_name = name.common_name;
  EML_TRY(this_update, inside.time());
  if (is_time(inside)) {
    EML_TRY(next_update, inside.time());
  }
  return read_entries_and_extensions(inside);
}

Status RevocationList::State::read() {
  EML_TRY(const x509::SignedData data, x509::read_signed(der));
  signed_bytes = data.signed_bytes;
  signature = data.signature;
  scheme = x509::signature_scheme(data.algorithm);
  return read_fields(data.inside, data.algorithm);
}

Result<RevocationList> RevocationList::decode_der(ByteView der) {
  if (der.size() > kCrlBytesMax)
    return fail(kCrlMalformed, "a revocation list is larger than we accept", kCrlBytesMax, der.size());
  auto state = std::make_shared<State>();
  state->der = to_bytes(der);
  if (const auto status = state->read(); !status)
    return fail(kCrlMalformed, "a revocation list is not well-formed DER", status.error().first());
  return RevocationList(std::move(state));
}

const Bytes& RevocationList::issuer() const { return state_->issuer; }
const std::string& RevocationList::issuer_common_name() const { return state_->issuer_common_name; }
UnixSeconds RevocationList::this_update() const { return state_->this_update; }
std::optional<UnixSeconds> RevocationList::next_update() const { return state_->next_update; }
bool RevocationList::has_crl_number() const { return state_->has_crl_number; }
bool RevocationList::has_authority_key_identifier() const { return state_->has_authority_key_identifier; }

bool RevocationList::revokes(ByteView serial) const {
  return std::ranges::any_of(state_->serials, [&](ByteView revoked) { return equal(revoked, serial); });
}

Status RevocationList::signed_by(const PublicKey& key) const {
  return x509::verify_signed(key, state_->scheme, state_->signed_bytes, state_->signature);
}

}  // namespace eml
