// TsmAttester makes evidence of kinds tdx and sevsnp by the kernel's configfs-tsm.
// Source: docs/spec/evidence.md, "Making evidence".
#pragma once

#include <memory>

#include "attester/tsm_report.h"

namespace eml {

class TsmAttester final : public Attester {
 public:
  // `clock` dates the certificates that a host hands over; it outlives the attester.
  TsmAttester(TsmProvider provider, TsmReports reports, const Clock& clock)
      : provider_(provider), reports_(std::move(reports)), clock_(clock) {}

  EvidenceKind kind() const override {
    return provider_ == TsmProvider::kTdxGuest ? EvidenceKind::kTdx : EvidenceKind::kSevSnp;
  }
  // attest gives the quote or report as the kernel gave it. For sevsnp the host's certificates are endorsements; a
  // table of them that is malformed is logged and left out, since evidence is good without it. Errors: those of
  // TsmReports::report; kAttesterClock if a date is needed and the clock has none that a bundle can hold.
  Result<MadeEvidence> attest(const Binding& binding, ByteView binding_bytes) override;

 private:
  Result<std::vector<Endorsement>> endorsements_of(const TsmReport& report) const;

  TsmProvider provider_;
  TsmReports reports_;
  const Clock& clock_;
};

}  // namespace eml
