// TpmAttester makes evidence of kind tpm by the machine's TPM. It must be asked for by name: a TPM is no TEE.
// Source: docs/spec/evidence/tpm.md, "Making it".
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "attester/attester.h"
#include "attester/tpm_device.h"

namespace eml {

class TpmAttester final : public Attester {
 public:
  // open opens the device: kAttesterNotHere if there is none, else TpmDevice::open's errors.
  static Result<std::unique_ptr<TpmAttester>> open(const std::string& device, const Clock& clock);

  EvidenceKind kind() const override { return EvidenceKind::kTpm; }
  // attest gives the quote, and as endorsements its signature, the registers and the key. Errors: kAttesterClock;
  // make_tpm_quote's.
  Result<MadeEvidence> attest(const Binding& binding, ByteView binding_bytes) override;

 private:
  TpmAttester(TpmDevice device, const Clock& clock) : device_(std::move(device)), clock_(clock) {}

  std::mutex mutex_;  // a TPM has one conversation at a time
  TpmDevice device_;
  const Clock& clock_;
};

}  // namespace eml
