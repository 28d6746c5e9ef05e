// ConfidentialSpaceAttester makes evidence of kind confidential_space: a PKI token that the launcher of Google
// Confidential Space has signed by Google's attestation service.
// Source: docs/spec/evidence.md, "Making evidence"; go-tpm-tools, launcher/teeserver/tee_server.go.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "attester/retry.h"
#include "net/http_client.h"

namespace eml {

inline constexpr ErrorCode kLauncherRefused{ErrorClass::kUnavailable, "launcher-refused"};

inline constexpr std::size_t kLauncherTokenMax = 256U << 10;  // genuine PKI tokens are 8 to 16 KiB

// token_request is the body of the launcher's POST /v1/token for one audience and one nonce.
std::string token_request(std::string_view audience, std::string_view nonce);

// is_compact_jws: three base64url parts with a dot between them and nothing else.
bool is_compact_jws(std::string_view text);

struct ConfidentialSpaceConfig {
  std::string socket;
  Retry retry = {};
  // The launcher asks Google's service and the VM's TPM before it answers: seconds.
  HttpClientLimits limits{
      .idle = std::chrono::seconds(30), .total = std::chrono::seconds(60), .body_bytes_max = kLauncherTokenMax};
};

class ConfidentialSpaceAttester final : public Attester {
 public:
  // open looks whether the launcher's socket is there. kAttesterNotHere if not; kAttesterDevice with errno if it cannot
  // be seen.
  static Result<std::unique_ptr<ConfidentialSpaceAttester>> open(ConfidentialSpaceConfig config);

  EvidenceKind kind() const override { return EvidenceKind::kConfidentialSpace; }
  // attest gives the token as the launcher gave it. Errors: kAttesterBusy if it said 429 or 5xx at every try;
  // kLauncherRefused with its status otherwise; kAttesterAnswer if a 200 is no compact JWS; kAttesterAnswerTooLarge;
  // those of http_call_unix.
  Result<MadeEvidence> attest(const Binding& binding, ByteView binding_bytes) override;

 private:
  explicit ConfidentialSpaceAttester(ConfidentialSpaceConfig config) : config_(std::move(config)) {}
  Result<Bytes> ask_once(const HttpCall& call) const;

  ConfidentialSpaceConfig config_;
};

}  // namespace eml
