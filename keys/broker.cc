#include "keys/broker.h"

#include <algorithm>
#include <utility>

#include "crypto/cose/sign1.h"
#include "crypto/hash.h"
#include "package/dek.h"

namespace eml {

namespace {

constexpr std::size_t kDetailMax = 1024;

HttpReply text_reply(std::uint16_t status, std::string_view line) {
  return {.status = status,
          .headers = {{"Content-Type", "text/plain"}, {"Cache-Control", "no-store"}},
          .body = to_bytes(std::string(line) + "\n")};
}

HttpReply binary_reply(std::uint16_t status, std::string_view type, Bytes body) {
  return {.status = status,
          .headers = {{"Content-Type", std::string(type)}, {"Cache-Control", "no-store"}},
          .body = std::move(body)};
}

// The lines of a refused appraisal say by which field each entry refused.
std::string refusing_fields(const Checks& checks) {
  std::string out;
  for (const Check& check : checks) {
    if (check.outcome != Outcome::kFailed || check.detail.empty()) continue;
    if (!out.empty()) out += "; ";
    out += check.detail;
  }
  if (out.size() > kDetailMax) out.resize(kDetailMax);
  return out;
}

std::optional<Hash32> evidence_hash_of(ByteView bundle_bytes) {
  const auto bundle = decode_bundle(bundle_bytes);
  return bundle ? std::optional(sha256(bundle->evidence)) : std::nullopt;
}

JsonObject measurements_json(const Measurements& measurements) {
  JsonObject out;
  for (const auto& [name, value] : measurements) out[name] = hex(value);
  return out;
}

}  // namespace

Result<std::unique_ptr<BrokerService>> BrokerService::start(BrokerSetup setup, const Clock& clock, Random& random) {
  const auto& last_serial = setup.log.report().last_policy_serial;
  if (last_serial && setup.policy.serial() < *last_serial) {
    return fail(kPolicySerial, "the policy is older than one that this broker used (wanted, got)", *last_serial,
                setup.policy.serial());
  }
  std::unique_ptr<BrokerService> service(new BrokerService(std::move(setup), clock, random));
  EML_CHECK(service->write_start());
  return service;
}

Status BrokerService::write_start() {
  JsonObject members{{"broker_key", hex(public_key())},
                     {"policy", hex(setup_.policy.hash())},
                     {"policy_name", setup_.policy_name},
                     {"policy_serial", setup_.policy.serial()}};
  EML_CHECK(setup_.log.append("start", clock_.now(), std::move(members)));
  return {};
}

Status BrokerService::replace_policy(Policy policy, std::string policy_name) {
  if (policy.serial() < setup_.policy.serial()) {
    return fail(kPolicySerial, "the policy is older than the one in use (wanted, got)", setup_.policy.serial(),
                policy.serial());
  }
  setup_.policy = std::move(policy);
  setup_.policy_name = std::move(policy_name);
  return write_start();
}

HttpReply BrokerService::handle(const HttpCall& call) {
  last_.reset();
  const bool known = call.target == kChallengePath || call.target == kReleasePath;
  if (!known) return text_reply(404, "not found: this is a key broker, see POST /v1/challenge and POST /v1/release");
  if (call.method != "POST") return text_reply(405, "only POST");
  if (call.target == kChallengePath)
    return call.body.empty() ? challenge() : text_reply(400, "a challenge has no body");
  if (call.body.size() > kReleaseRequestMax) return text_reply(413, "a release request has at most 2 MiB");
  return release(call);
}

HttpReply BrokerService::challenge() {
  const auto nonce = nonces_.issue(random_, clock_.monotonic());
  if (!nonce) return text_reply(429, nonce.error().to_string());
  return binary_reply(200, "application/octet-stream", to_bytes(*nonce));
}

bool BrokerService::take_turn() {
  constexpr std::chrono::minutes kWindow{1};
  const std::chrono::nanoseconds now = clock_.monotonic();
  if (window_count_ == 0 || now - window_start_ >= kWindow) {
    window_start_ = now;
    window_count_ = 0;
  }
  if (window_count_ >= setup_.releases_per_minute_max) return false;
  ++window_count_;
  return true;
}

HttpReply BrokerService::release(const HttpCall& call) {
  const auto request = decode_release_request(call.body);
  if (!request) return text_reply(400, request.error().to_string());
  if (!take_turn()) return text_reply(429, "too many release requests in this minute");
  const Decision decision = decide(*request);
  const auto position = write_log(decision);
  if (!position) return text_reply(503, "the log cannot be written, so nothing is released");
  last_ = LastDecision{.released = !decision.refused, .rule = decision.rule, .detail = decision.detail};
  return binary_reply(decision.refused ? 403 : 200, "application/cose; cose-type=\"cose-sign1\"",
                      sign(decision, *position));
}

BrokerService::Decision BrokerService::decide(const ReleaseRequest& request) {
  Decision decision;
  decision.nonce = request.nonce;
  if (auto status = steps(request, decision); !status) {
    decision.refused = status.error();
    decision.rule = std::string(status.error().code().name);
    decision.sealed.reset();
  }
  return decision;
}

// Steps 1 to 5 of docs/spec/key_release.md, 4.
Status BrokerService::steps(const ReleaseRequest& request, Decision& decision) {
  EML_CHECK(nonces_.use(request.nonce, clock_.monotonic()));
  decision.evidence_hash = evidence_hash_of(request.bundle);
  EML_CHECK(verify_peer(request, decision));
  EML_CHECK(appraise(decision));
  return seal(request, decision);
}

// Steps 2 and 3: a genuine release bundle has exactly one manifest, whose hash the binding names.
Status BrokerService::verify_peer(const ReleaseRequest& request, Decision& decision) {
  const BundleExpectation expectation{.purpose = Purpose::kRelease,
                                      .time = clock_.now(),
                                      .challenge = request.nonce,
                                      .policy = &setup_.policy,
                                      .verify_manifest = &verify_manifest};
  const TrustRoots roots{.local = setup_.policy.local_roots()};
  EML_TRY(decision.peer, verify_bundle(request.bundle, expectation, roots));
  EML_TRY(const EvidenceBundle bundle, decode_bundle(request.bundle));
  EML_TRY(decision.manifest, decode_manifest(bundle.manifests.front()));
  return {};
}

// Step 4.
Status BrokerService::appraise(Decision& decision) {
  Checks checks;
  const auto trusted = appraise_peer(*decision.peer, setup_.policy, clock_.now(), &checks);
  if (!trusted) {
    decision.detail = refusing_fields(checks);
    return std::unexpected(trusted.error());
  }
  decision.rule = trusted->rule;
  return {};
}

const KemKeyPair* BrokerService::wrapping_key(std::string_view key_id) const {
  const auto found = std::ranges::find_if(
      setup_.wrapping, [&](const KemKeyPair& key) { return x25519_key_id(key.public_key()) == key_id; });
  return found == setup_.wrapping.end() ? nullptr : &*found;
}

// Step 5.
Status BrokerService::seal(const ReleaseRequest& request, Decision& decision) {
  const Manifest& manifest = *decision.manifest;
  const KemKeyPair* key = wrapping_key(manifest.key_id);
  if (key == nullptr) return fail(kReleaseKeyId, "the package's key id names no wrapping key of this broker");
  EML_TRY(const SecretBytes dek, unwrap_dek(request.wrapped_dek, manifest.package_id, manifest.key_id, *key));
  const Binding& binding = decision.peer->binding;
  const Hash32 digest = binding_digest(Purpose::kRelease, decision.peer->binding_bytes);
  auto sender = HpkeSender::setup(kKemX25519HkdfSha256, binding.release_key, release_info(digest), random_);
  if (!sender) return fail(kReleaseBadKey, "the release key is not one that can be sealed to");
  EML_TRY(const Bytes ct, sender->seal(manifest.package_id, dek));
  decision.sealed = to_array<kSealedDekSize>(concat(sender->enc(), ct));
  if (!decision.sealed) return fail(kInternalError, "a sealed DEK has another size");
  return {};
}

// Step 6.
Result<LogPosition> BrokerService::write_log(const Decision& decision) {
  JsonObject members{{"decision", decision.refused ? "refused" : "released"},
                     {"detail", decision.detail},
                     {"nonce", hex(decision.nonce)},
                     {"policy", hex(setup_.policy.hash())},
                     {"rule", decision.rule}};
  if (decision.evidence_hash) members["evidence"] = hex(*decision.evidence_hash);
  if (decision.peer) {
    members["bundle"] = hex(decision.peer->bundle_hash);
    members["evidence_kind"] = to_string(decision.peer->evidence.kind);
    members["measurements"] = measurements_json(decision.peer->evidence.measurements);
  }
  if (decision.manifest) {
    members["key_id"] = decision.manifest->key_id;
    members["model_hash"] = hex(model_hash(*decision.manifest));
    members["package_id"] = hex(decision.manifest->package_id);
  }
  return setup_.log.append("decision", clock_.now(), std::move(members));
}

// Step 7.
Bytes BrokerService::sign(const Decision& decision, const LogPosition& position) const {
  ReleaseStatement statement{.issuer = setup_.issuer,
                             .time = clock_.now(),
                             .nonce = decision.nonce,
                             .rule = decision.rule,
                             .released = !decision.refused,
                             .evidence_hash = decision.evidence_hash,
                             .policy_hash = setup_.policy.hash(),
                             .log_seq = position.seq,
                             .log_hash = position.hash,
                             .sealed = decision.sealed};
  if (decision.manifest) {
    statement.key_id = decision.manifest->key_id;
    statement.package_id = decision.manifest->package_id;
    statement.model_hash = model_hash(*decision.manifest);
  }
  return sign1(setup_.signing, release_header(), encode_release_statement(statement));
}

}  // namespace eml
