// FakeTee makes local evidence, bindings, bundles and policies for tests: fixed times, seeded keys, a trivial manifest
// format with its own verifier. Test-only; header-only; the test links eml_attestation.
//
//   eml::test::FakeTee tee;                                   // one root, one publisher, one model
//   const Bytes bundle = tee.serve_bundle();                  // receipt_key(), channel_key() are in its binding
//   const Policy policy = tee.policy();                       // accepts it, with evaluation consent
//   auto peer = check_bundle(bundle, tee.expectation(policy));
//
// Change what you want with the *_parts functions: build a Binding or EvidenceBundle, alter it, `seal` it.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "attestation/bundle.h"
#include "attestation/local/local.h"
#include "attestation/policy_tools.h"
#include "base/clock.h"
#include "crypto/cose/sign1.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "encoding/cbor.h"
#include "encoding/json.h"
#include "tests/support/seeded_random.h"

namespace eml::test {

inline constexpr UnixSeconds kFakeNow = 1'764'072'000;  // 2025-11-25T12:00:00Z

inline Ed25519Key fake_key(std::string_view seed) {
  return *Ed25519Key::from_seed(copy_to_secret(sha256(as_bytes(seed))));
}

// fake_manifest is `fake-manifest|id|version|serial|model hash|package id|publisher|H of all before`, hex where bytes;
// verify_fake_manifest accepts exactly that, the hash in the place of a signature. It stands in for package/manifest.h,
// which is of attestation's own layer.
inline Bytes fake_manifest(const SignedModel& model) {
  const std::string body = "fake-manifest|" + model.id + "|" + model.version + "|" + std::to_string(model.serial) +
                           "|" + hex(model.model_hash) + "|" + model.package_id + "|" + hex(model.publishers.front());
  return to_bytes(body + "|" + hex(sha256(as_bytes(body))));
}

inline Result<SignedModel> verify_fake_manifest(ByteView manifest) {
  const std::string_view text = as_text(manifest);
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == '|') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  if (parts.size() != 8 || parts[0] != "fake-manifest") return fail(kBundleManifestHash, "not a fake manifest");
  const std::string_view body = text.substr(0, text.rfind('|'));
  if (parts[7] != hex(sha256(as_bytes(body)))) return fail(kSignatureInvalid, "the fake signature does not verify");
  const auto hash = from_hex(parts[4]);
  const auto publisher = from_hex(parts[6]);
  if (!hash || hash->size() != 32 || !publisher || publisher->size() != 32 || parts[3].size() > 9 ||
      parts[3].find_first_not_of("0123456789") != std::string::npos || parts[3].empty()) {
    return fail(kBundleManifestHash, "not a fake manifest");
  }
  return SignedModel{.id = parts[1],
                     .version = parts[2],
                     .serial = std::stoull(parts[3]),
                     .model_hash = *to_array<32>(*hash),
                     .package_id = parts[5],
                     .publishers = {*to_array<32>(*publisher)}};
}

// fake_local_evidence is what attester/local_attester.h makes, written down a second time.
inline Bytes fake_local_evidence(const Ed25519Key& root, const Hash32& digest, const Hash48& binary) {
  CborWriter payload;
  payload.map(3).uint(1).bytes(digest).uint(2).bytes(binary).uint(3).bytes(root.public_key());
  return sign1(root, local_evidence_header(), payload.view());
}

class FakeTee {
 public:
  // Another `seed` is another machine: other root, keys, boot id. The publisher and the model stay the same.
  explicit FakeTee(std::string_view seed = "machine a")
      : root_(fake_key(std::string(seed) + " root")),
        receipt_key_(fake_key(std::string(seed) + " receipt")),
        channel_key_(fake_key(std::string(seed) + " channel")),
        publisher_(fake_key("publisher")),
        random_(seed),
        binary(sha384(as_bytes("binary"))),
        boot_id(random_.array<16>()) {
    model.id = "all-minilm-l6-v2";
    model.version = "1";
    model.serial = 3;
    model.model_hash = sha256(as_bytes("model"));
    model.package_id = "000102030405060708090a0b0c0d0e0f";
    model.publishers = {publisher_.public_key()};
    configuration.issuer = "test.example";
    configuration.operator_key = fake_key("operator").public_key();
    configuration.publishers = {publisher_.public_key()};
    configuration.minimum_serials = {{model.id, 2}};
    configuration.numerics = "fp32";
    configuration.log_level = "info";
  }

  const Ed25519Key& root() const { return root_; }
  const Ed25519Key& receipt_key() const { return receipt_key_; }
  const Ed25519Key& channel_key() const { return channel_key_; }
  const Ed25519Key& publisher() const { return publisher_; }
  Random& random() { return random_; }

  Binding serve_binding() const {
    Binding out = common_binding();
    out.receipt_key = receipt_key_.public_key();
    out.channel_key = channel_key_.public_key();
    return out;
  }

  Binding release_binding(const Hash32& nonce, const ByteArray<32>& release_key) const {
    Binding out = common_binding();
    out.purpose = Purpose::kRelease;
    out.release_key = release_key;
    out.challenge = nonce;
    return out;
  }

  // parts is the bundle around `binding`, before encoding.
  EvidenceBundle parts(const Binding& binding) const {
    EvidenceBundle out;
    out.binding = encode_binding(binding);
    out.evidence = fake_local_evidence(root_, binding_digest(binding.purpose, out.binding), binary);
    out.configuration = encode_configuration(configuration);
    out.manifests = {fake_manifest(model)};
    return out;
  }

  Bytes bundle(const Binding& binding) const { return encode_bundle(parts(binding)); }
  Bytes serve_bundle() const { return bundle(serve_binding()); }

  // entry_json accepts this machine's serve and release bundles, and requires all that kind local can give.
  Json entry_json() const {
    return *draft_entry_from_bundle(serve_bundle(), {.name = "test-entry",
                                                     .approved_by = "a test",
                                                     .not_before = kFakeNow - 86400,
                                                     .not_after = kFakeNow + 86400,
                                                     .accept_evaluation = true});
  }

  Json policy_json() const { return draft_policy("test policy", 1, JsonArray{entry_json()}); }
  std::string policy_text() const { return compact_json(policy_json()); }
  Policy policy() const { return *Policy::decode(as_bytes(policy_text())); }

  // expectation is a client's: serve, at kFakeNow, no challenge. `policy` must outlive it.
  static BundleExpectation expectation(const Policy& policy) {
    return {.purpose = Purpose::kServe,
            .time = kFakeNow,
            .challenge = std::nullopt,
            .policy = &policy,
            .verify_manifest = verify_fake_manifest};
  }

 private:
  Binding common_binding() const {
    Binding out;
    out.boot_id = boot_id;
    out.issued_at = issued_at;
    out.not_after = issued_at + kBindingSecondsMax;
    out.configuration_hash = sha256(encode_configuration(configuration));
    out.model_hashes = {model.model_hash};
    return out;
  }

  Ed25519Key root_;
  Ed25519Key receipt_key_;
  Ed25519Key channel_key_;
  Ed25519Key publisher_;
  SeededRandom random_;

 public:
  // Set these before making a bundle.
  Hash48 binary;
  BootId boot_id;
  UnixSeconds issued_at = kFakeNow - 100;
  SignedModel model;
  PublicConfiguration configuration;
};

}  // namespace eml::test
