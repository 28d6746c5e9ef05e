#include "attester/tsm_attester.h"

#include "attester/snp_certificates.h"
#include "base/log.h"

namespace eml {

Result<MadeEvidence> TsmAttester::attest(const Binding& binding, ByteView binding_bytes) {
  EML_TRY(const Bytes value, value_to_sign(kind(), binding, binding_bytes));
  const auto inblob = to_array<kTsmInblobBytes>(value);
  if (!inblob) return fail(kInternalError, "the value to sign is not REPORTDATA's size");
  EML_TRY(TsmReport report, reports_.report(provider_, *inblob));
  MadeEvidence made;
  EML_TRY(made.endorsements, endorsements_of(report));
  made.evidence = std::move(report.outblob);
  return made;
}

Result<std::vector<Endorsement>> TsmAttester::endorsements_of(const TsmReport& report) const {
  const auto key = snp_signing_key(report.outblob);
  if (report.auxblob.empty() || !key) return std::vector<Endorsement>{};
  const UnixSeconds now = clock_.now();
  if (now < 0 || now > kUnixSecondsMax) {
    return fail(kAttesterClock, "the machine's clock is before 1970 or after 9999: certificates cannot be dated");
  }
  auto endorsements = snp_endorsements(report.auxblob, *key, now);
  if (endorsements) return endorsements;
  log(LogLevel::kWarning, "attester", "the host's certificates are left out", endorsements.error());
  return std::vector<Endorsement>{};
}

}  // namespace eml
