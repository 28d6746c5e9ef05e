// ReleaseClient is the server's side of one key release, as functions from answers to requests: the caller moves the
// bytes and gets the evidence. One object is one attempt; it holds the release key and is destroyed with it.
//
//   ReleaseClient client(config, random);                     // then POST client.challenge_call(), and
//   EML_TRY(Binding binding, client.on_challenge(reply, ...)) // get evidence for the binding, bundle it
//   client.release_call(...)                                  // POST, and
//   EML_TRY(ReleaseOutcome outcome, client.on_release(reply))
//
// Source: docs/spec/key_release.md, 3 and 5.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "attestation/binding.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/hpke.h"
#include "keys/provider.h"
#include "keys/release_message.h"
#include "net/http.h"
#include "package/manifest.h"

namespace eml {

inline constexpr ErrorCode kReleaseBrokerBusy{ErrorClass::kUnavailable, "release-broker-busy"};
inline constexpr ErrorCode kReleaseBrokerFailed{ErrorClass::kUnavailable, "release-broker-failed"};
inline constexpr ErrorCode kReleaseAnswerNonce{ErrorClass::kUnauthentic, "release-answer-nonce"};
inline constexpr ErrorCode kReleaseAnswerMismatch{ErrorClass::kUnauthentic, "release-answer-mismatch"};
inline constexpr ErrorCode kReleaseAnswerSealed{ErrorClass::kUnauthentic, "release-answer-sealed"};
inline constexpr ErrorCode kReleaseOrder{ErrorClass::kInternal, "release-order"};

// kReleaseAnswerMax bounds what the caller reads of a broker's answer.
inline constexpr std::size_t kReleaseAnswerMax = kCoseSign1Max;

// ReleaseOutcome is an authentic answer that fits the request. `dek` is there exactly if it was released.
struct ReleaseOutcome {
  ReleaseStatement statement;
  std::optional<SecretBytes> dek;
  Bytes record;  // the COSE_Sign1 as it arrived: a release record of the evidence bundle
};

class ReleaseClient {
 public:
  // Errors: those of KemKeyPair::generate.
  static Result<ReleaseClient> create(const Ed25519PublicKey& broker_key, const TrustedManifest& manifest,
                                      Random& random);

  HttpCall challenge_call() const;

  // ProcessFacts is what the binding says about this process.
  struct ProcessFacts {
    BootId boot_id{};
    UnixSeconds now = 0;
    Hash32 configuration_hash{};
  };
  // on_challenge takes the nonce and gives the release binding, good for two minutes: the time that a slow TEE needs
  // for evidence. kReleaseBrokerBusy (429), kReleaseBrokerFailed (other statuses), kReleaseAnswerMalformed.
  Result<Binding> on_challenge(const HttpReply& reply, const ProcessFacts& facts);

  // release_call sends the bundle whose binding is encode_binding of on_challenge's. kReleaseOrder if there was no
  // challenge; the errors of decode_bundle for what is no bundle.
  Result<HttpCall> release_call(ByteView bundle, ByteView wrapped_dek);

  // on_release runs the five steps of the page. A refusal is a result, not an error: an authentic answer with its rule.
  Result<ReleaseOutcome> on_release(const HttpReply& reply) const;

 private:
  struct Expected {  // of the answer
    std::string key_id;
    PackageId package_id{};
    Hash32 model_hash{};
    Hash32 evidence_hash{};
    Hash32 binding_digest{};
  };
  ReleaseClient(const Ed25519PublicKey& broker_key, const TrustedManifest& manifest, KemKeyPair release_key);
  Result<SecretBytes> open_sealed(const ReleaseStatement& statement) const;

  Ed25519PublicKey broker_key_;
  Expected expected_;
  KemKeyPair release_key_;
  std::optional<Nonce> nonce_;
  bool asked_ = false;
};

// BrokerProvider is the DekProvider that asks a broker.
class BrokerProvider final : public DekProvider {
 public:
  // What the provider is given to reach the world: the exchange of one HTTP request and the making of a release bundle
  // (evidence for `binding`, around the configuration and the manifest's bytes).
  using Exchange = std::function<Result<HttpReply>(const HttpCall&)>;
  using MakeBundle = std::function<Result<Bytes>(const Binding& binding, ByteView manifest_bytes)>;
  struct Means {
    Exchange exchange;
    MakeBundle make_bundle;
    BootId boot_id{};
    Hash32 configuration_hash{};
    const Clock* clock = nullptr;  // not owned
    Random* random = nullptr;      // not owned
  };
  BrokerProvider(const Ed25519PublicKey& broker_key, Means means) : broker_key_(broker_key), means_(std::move(means)) {}

  // release fails with kReleaseRefused if the broker refused; refusal() then says its rule.
  Result<ReleasedDek> release(const DekRequest& request) override;
  std::string_view refusal() const override { return refusal_; }
  std::string_view name() const override { return "broker"; }

 private:
  Ed25519PublicKey broker_key_;
  Means means_;
  std::string refusal_;
};

}  // namespace eml
