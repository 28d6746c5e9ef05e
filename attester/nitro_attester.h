// NitroAttester makes evidence of kind nitro by the enclave's /dev/nsm.
// Source: docs/spec/evidence.md, "Making evidence"; aws-nitro-enclaves-nsm-api, src/driver and src/api.
#pragma once

#include <sys/uio.h>

#include <functional>
#include <memory>
#include <string>

#include "attester/retry.h"

namespace eml {

inline constexpr ErrorCode kNsmRefused{ErrorClass::kUnavailable, "nsm-refused"};

inline constexpr std::size_t kNsmRequestMax = 0x1000;
inline constexpr std::size_t kNsmResponseMax = 0x3000;

// NsmMessage is the driver's struct nsm_message: it sends `request` and sets the length of `response`.
struct NsmMessage {
  iovec request;
  iovec response;
};

// NsmIoctl passes one message to the driver behind `fd` and returns errno, or 0.
using NsmIoctl = std::function<int(int fd, NsmMessage& message)>;
int nsm_ioctl(int fd, NsmMessage& message);

// decode_nsm_document takes the document out of the answer to an Attestation request: never empty. kNsmRefused if the
// answer is one of the NSM's errors, kAttesterAnswer if it is no answer to this request.
Result<Bytes> decode_nsm_document(ByteView answer);

struct NitroAttesterConfig {
  std::string device;  // a character device
  NsmIoctl ioctl = nsm_ioctl;
  Retry retry = {};
};

class NitroAttester final : public Attester {
 public:
  // open opens the device and has it answer one GetRandom, so that what merely has its name is not taken for it.
  // Errors: kAttesterNotHere if there is no such character device; those of attest.
  static Result<std::unique_ptr<NitroAttester>> open(NitroAttesterConfig config);
  ~NitroAttester() override;
  NitroAttester(const NitroAttester&) = delete;
  NitroAttester& operator=(const NitroAttester&) = delete;

  EvidenceKind kind() const override { return EvidenceKind::kNitro; }
  // attest gives the attestation document as the NSM gave it. Errors: kAttesterBusy if the driver stayed busy;
  // kAttesterDevice with errno; kNsmRefused; kAttesterAnswer; kAttesterAnswerTooLarge if the driver says that the
  // answer did not fit.
  Result<MadeEvidence> attest(const Binding& binding, ByteView binding_bytes) override;

 private:
  NitroAttester(NitroAttesterConfig config, int fd) : config_(std::move(config)), fd_(fd) {}
  Result<Bytes> exchange(ByteView request) const;
  Result<Bytes> exchange_once(ByteView request) const;

  NitroAttesterConfig config_;
  int fd_;
};

}  // namespace eml
