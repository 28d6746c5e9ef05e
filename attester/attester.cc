#include "attester/attester.h"

#include <utility>

#include "attester/confidential_space_attester.h"
#include "attester/devices.h"
#include "attester/local_attester.h"
#include "attester/tpm_attester.h"
#include "attester/tsm_attester.h"

namespace eml {
namespace {

using Opened = Result<std::unique_ptr<Attester>>;

template <typename Kind>
Opened as_attester(Result<std::unique_ptr<Kind>> opened) {
  if (!opened) return std::unexpected(opened.error());
  return std::unique_ptr<Attester>(*std::move(opened));
}

// Opens whichever TEE the kernel has a report provider for.
Opened open_tsm(const AttesterDevices& devices, Random& random, const Clock& clock) {
  TsmReports reports(devices.tsm, random, devices.retry);
  EML_TRY(const TsmProvider provider, reports.provider());
  return std::make_unique<TsmAttester>(provider, std::move(reports), clock);
}

Opened open_tsm_kind(EvidenceKind wanted, const AttesterDevices& devices, Random& random, const Clock& clock) {
  EML_TRY(auto attester, open_tsm(devices, random, clock));
  if (attester->kind() != wanted) {
    return fail(kTsmProviderOther, "this machine's TEE is of another kind: the kernel's report provider says so");
  }
  return attester;
}

Opened open_nitro(const AttesterDevices& devices) {
  return as_attester(NitroAttester::open({.device = devices.nsm, .ioctl = devices.nsm_call, .retry = devices.retry}));
}

Opened open_confidential_space(const AttesterDevices& devices) {
  return as_attester(ConfidentialSpaceAttester::open({.socket = devices.launcher, .retry = devices.retry}));
}

bool is_here(const Opened& opened) { return opened || opened.error().code() != kAttesterNotHere; }

Opened open_only_one(const AttesterDevices& devices, Random& random, const Clock& clock) {
  Opened found =
      fail(kAttesterNotHere,
           "no TEE was found here: no configfs-tsm provider, no /dev/nsm, no launcher of Confidential Space");
  Opened candidates[] = {open_tsm(devices, random, clock), open_nitro(devices), open_confidential_space(devices)};
  for (Opened& candidate : candidates) {
    if (!is_here(candidate)) continue;
    if (is_here(found)) return fail(kAttesterAmbiguous, "several TEEs were found here: name the kind to use");
    found = std::move(candidate);
  }
  return found;
}

}  // namespace

Result<Bytes> value_to_sign(EvidenceKind kind, const Binding& binding, ByteView binding_bytes) {
  if (!equal(encode_binding(binding), binding_bytes)) {
    return fail(kInternalError, "the binding's bytes are not those of the binding");
  }
  return expected_signed_value(kind, binding, binding_bytes);
}

Result<std::unique_ptr<Attester>> make_attester(const AttesterConfig& config, const AttesterDevices& devices,
                                                Random& random, const Clock& clock) {
  if (config.kind == kAttesterAuto) return open_only_one(devices, random, clock);
  const auto kind = parse_evidence_kind(config.kind);
  if (!kind) {
    return fail(kAttesterKindUnknown, "evidence kind: auto, local, tdx, sevsnp, nitro, confidential_space or tpm");
  }
  switch (*kind) {
    case EvidenceKind::kLocal:
      return as_attester(LocalAttester::open({.state_directory = config.state_directory}, random, clock));
    case EvidenceKind::kTdx:
    case EvidenceKind::kSevSnp:
      return open_tsm_kind(*kind, devices, random, clock);
    case EvidenceKind::kNitro:
      return open_nitro(devices);
    case EvidenceKind::kConfidentialSpace:
      return open_confidential_space(devices);
    case EvidenceKind::kTpm:
      break;
  }
  return as_attester(TpmAttester::open(devices.tpm, clock));
}

Result<std::unique_ptr<Attester>> make_attester(const AttesterConfig& config, Random& random, const Clock& clock) {
  return make_attester(config, AttesterDevices{}, random, clock);
}

}  // namespace eml
