// BrokerService decides about key release. It has no sockets: requests come in as values, answers go out as values, and
// its one effect on the world is the log. Source: docs/spec/key_release.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attestation/bundle.h"
#include "attestation/policy.h"
#include "base/clock.h"
#include "base/result.h"
#include "keys/broker_keys.h"
#include "keys/nonce_store.h"
#include "keys/release_log.h"
#include "keys/release_message.h"
#include "net/http.h"

namespace eml {

inline constexpr ErrorCode kReleaseKeyId{ErrorClass::kRejected, "release-key-id"};
inline constexpr ErrorCode kReleaseBadKey{ErrorClass::kUnauthentic, "release-bad-key"};

// BrokerSetup is all that a broker needs, loaded and checked.
struct BrokerSetup {
  std::string issuer;  // 1 to 128 characters, in every statement
  Ed25519Key signing;
  std::vector<KemKeyPair> wrapping;  // at least one; a retired one stays while packages name it
  Policy policy;                     // decode_signed
  std::string policy_name;           // its file's name, for the log
  ReleaseLog log;
  // Each judged request may add a line to the log; see docs/spec/key_release.md, 3.
  std::uint32_t releases_per_minute_max = 600;
};

// BrokerService is not thread-safe: one request at a time, since an answer waits for its fsync anyway.
class BrokerService {
 public:
  // start refuses a policy whose serial is below that of the log's last `start` (kPolicySerial) and writes a `start`
  // record. `clock` and `random` outlive the service.
  static Result<std::unique_ptr<BrokerService>> start(BrokerSetup setup, const Clock& clock, Random& random);

  // handle answers one HTTP request. The caller has bounded the body (kReleaseRequestMax) and the connection.
  HttpReply handle(const HttpCall& call);

  // replace_policy changes the policy while running (a reload): serial not below the present one, and a `start` record.
  Status replace_policy(Policy policy, std::string policy_name);

  // last_decision is for the caller's own log line after handle: what was decided and by which rule, if it was a
  // decision.
  struct LastDecision {
    bool released = false;
    std::string rule;
    std::string detail;
  };
  const std::optional<LastDecision>& last_decision() const { return last_; }

  const Ed25519PublicKey& public_key() const { return setup_.signing.public_key(); }

 private:
  // Decision is what the steps found out so far, for log and statement.
  struct Decision {
    std::optional<Error> refused;
    std::string rule;
    std::string detail;
    Nonce nonce{};
    std::optional<GenuinePeer> peer;
    std::optional<Hash32> evidence_hash;
    std::optional<Manifest> manifest;
    std::optional<ByteArray<kSealedDekSize>> sealed;
  };

  BrokerService(BrokerSetup setup, const Clock& clock, Random& random)
      : setup_(std::move(setup)), clock_(clock), random_(random) {}
  HttpReply challenge();
  HttpReply release(const HttpCall& call);
  bool take_turn();
  Decision decide(const ReleaseRequest& request);
  Status steps(const ReleaseRequest& request, Decision& decision);
  Status verify_peer(const ReleaseRequest& request, Decision& decision);
  Status appraise(Decision& decision);
  Status seal(const ReleaseRequest& request, Decision& decision);
  const KemKeyPair* wrapping_key(std::string_view key_id) const;
  Result<LogPosition> write_log(const Decision& decision);
  Bytes sign(const Decision& decision, const LogPosition& position) const;
  Status write_start();

  BrokerSetup setup_;
  const Clock& clock_;
  Random& random_;
  NonceStore nonces_;
  std::optional<LastDecision> last_;
  std::chrono::nanoseconds window_start_{0};
  std::uint32_t window_count_ = 0;
};

}  // namespace eml
