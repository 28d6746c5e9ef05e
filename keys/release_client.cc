#include "keys/release_client.h"

#include <utility>

#include "attestation/bundle.h"
#include "crypto/hash.h"

namespace eml {

namespace {

constexpr UnixSeconds kReleaseBindingSeconds = 120;
constexpr std::size_t kEncSize = 32;

// What every answer that is not the one we want means.
std::unexpected<Error> other_status(std::uint16_t status) {
  if (status == 429) return fail(kReleaseBrokerBusy, "the broker has too much to do: try again (status)", status);
  return fail(kReleaseBrokerFailed, "the broker gave no decision (status)", status);
}

}  // namespace

ReleaseClient::ReleaseClient(const Ed25519PublicKey& broker_key, const TrustedManifest& manifest,
                             KemKeyPair release_key)
    : broker_key_(broker_key),
      expected_{.key_id = manifest.manifest.key_id,
                .package_id = manifest.manifest.package_id,
                .model_hash = manifest.model.model_hash},
      release_key_(std::move(release_key)) {}

Result<ReleaseClient> ReleaseClient::create(const Ed25519PublicKey& broker_key, const TrustedManifest& manifest,
                                            Random& random) {
  EML_TRY(KemKeyPair release_key, KemKeyPair::generate(kKemX25519HkdfSha256, random));
  return ReleaseClient(broker_key, manifest, std::move(release_key));
}

HttpCall ReleaseClient::challenge_call() const {
  return {.method = "POST", .target = std::string(kChallengePath), .headers = {}, .body = {}};
}

Result<Binding> ReleaseClient::on_challenge(const HttpReply& reply, const ProcessFacts& facts) {
  if (reply.status != 200) return other_status(reply.status);
  const auto nonce = to_array<32>(reply.body);
  if (!nonce) return fail(kReleaseAnswerMalformed, "a challenge has 32 bytes (got)", reply.body.size());
  nonce_ = *nonce;
  return Binding{.purpose = Purpose::kRelease,
                 .boot_id = facts.boot_id,
                 .issued_at = facts.now,
                 .not_after = facts.now + kReleaseBindingSeconds,
                 .configuration_hash = facts.configuration_hash,
                 .model_hashes = {expected_.model_hash},
                 .release_key = *to_array<32>(release_key_.public_key()),
                 .devices_hash = std::nullopt,
                 .challenge = nonce};
}

Result<HttpCall> ReleaseClient::release_call(ByteView bundle, ByteView wrapped_dek) {
  if (!nonce_) return fail(kReleaseOrder, "a release request before its challenge");
  EML_TRY(const EvidenceBundle decoded, decode_bundle(bundle));
  expected_.evidence_hash = sha256(decoded.evidence);
  expected_.binding_digest = binding_digest(Purpose::kRelease, decoded.binding);
  asked_ = true;
  return HttpCall{.method = "POST",
                  .target = std::string(kReleasePath),
                  .headers = {{"Content-Type", "application/cbor"}},
                  .body = encode_release_request(
                      {.nonce = *nonce_, .bundle = to_bytes(bundle), .wrapped_dek = to_bytes(wrapped_dek)})};
}

Result<ReleaseOutcome> ReleaseClient::on_release(const HttpReply& reply) const {
  if (!asked_) return fail(kReleaseOrder, "a release answer before its request");
  if (reply.status != 200 && reply.status != 403) return other_status(reply.status);
  EML_TRY(const UnverifiedSign1 sign1, UnverifiedSign1::decode(reply.body));
  EML_CHECK(sign1.expect_header(release_header()));
  EML_TRY(const Bytes payload, sign1.verify(broker_key_));
  EML_TRY(ReleaseStatement statement, decode_release_statement(payload));
  if (statement.nonce != *nonce_) return fail(kReleaseAnswerNonce, "the broker's statement answers another challenge");
  ReleaseOutcome outcome{.statement = std::move(statement), .dek = std::nullopt, .record = reply.body};
  if (!outcome.statement.released) return outcome;
  EML_TRY(outcome.dek, open_sealed(outcome.statement));
  return outcome;
}

// Steps 4 and 5.
Result<SecretBytes> ReleaseClient::open_sealed(const ReleaseStatement& statement) const {
  if (statement.key_id != expected_.key_id || statement.package_id != expected_.package_id ||
      statement.model_hash != expected_.model_hash || statement.evidence_hash != expected_.evidence_hash) {
    return fail(kReleaseAnswerMismatch, "the broker's statement is about another package or other evidence");
  }
  const ByteView sealed = *statement.sealed;
  auto receiver = HpkeReceiver::setup(release_key_, sealed.first(kEncSize), release_info(expected_.binding_digest));
  if (!receiver) return fail(kReleaseAnswerSealed, "the sealed DEK does not open");
  auto dek = receiver->open(expected_.package_id, sealed.subspan(kEncSize));
  if (!dek) return fail(kReleaseAnswerSealed, "the sealed DEK does not open");
  return std::move(*dek);
}

Result<ReleasedDek> BrokerProvider::release(const DekRequest& request) {
  refusal_.clear();
  EML_TRY(ReleaseClient client, ReleaseClient::create(broker_key_, *request.manifest, *means_.random));
  EML_TRY(const HttpReply challenge, means_.exchange(client.challenge_call()));
  EML_TRY(const Binding binding, client.on_challenge(challenge, {.boot_id = means_.boot_id,
                                                                 .now = means_.clock->now(),
                                                                 .configuration_hash = means_.configuration_hash}));
  EML_TRY(const Bytes bundle, means_.make_bundle(binding, request.manifest_bytes));
  EML_TRY(const HttpCall call, client.release_call(bundle, request.wrapped_dek));
  EML_TRY(const HttpReply reply, means_.exchange(call));
  EML_TRY(ReleaseOutcome outcome, client.on_release(reply));
  if (!outcome.dek) {
    refusal_ = std::move(outcome.statement.rule);
    return fail(kReleaseRefused, "the broker refused to release the key");
  }
  return ReleasedDek{.dek = std::move(*outcome.dek), .record = std::move(outcome.record), .evaluation = false};
}

}  // namespace eml
