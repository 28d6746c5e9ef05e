#include "attester/tpm_attester.h"

namespace eml {

Result<std::unique_ptr<TpmAttester>> TpmAttester::open(const std::string& device, const Clock& clock) {
  auto opened = TpmDevice::open(device);
  if (!opened && opened.error().code() == kTpmDeviceNotHere) {
    return fail(kAttesterNotHere, "there is no TPM here: the kernel has no /dev/tpmrm0");
  }
  if (!opened) return std::unexpected(opened.error());
  return std::unique_ptr<TpmAttester>(new TpmAttester(*std::move(opened), clock));
}

Result<MadeEvidence> TpmAttester::attest(const Binding& binding, ByteView binding_bytes) {
  EML_TRY(const Bytes value, value_to_sign(kind(), binding, binding_bytes));
  const UnixSeconds now = clock_.now();
  if (now < 0 || now > kUnixSecondsMax) {
    return fail(kAttesterClock, "the machine's clock is before 1970 or after 9999: the quote cannot be dated");
  }
  const std::scoped_lock lock(mutex_);
  EML_TRY(MadeTpmQuote quote, make_tpm_quote(device_, value));
  MadeEvidence made;
  made.evidence = std::move(quote.attest);
  made.endorsements = {{.name = "ak_tpm2b_public", .fetched_at = now, .bytes = std::move(quote.ak_tpm2b_public)},
                       {.name = "pcrs", .fetched_at = now, .bytes = std::move(quote.pcrs)},
                       {.name = "signature", .fetched_at = now, .bytes = std::move(quote.signature)}};
  return made;
}

}  // namespace eml
