#include "attester/attester.h"

#include "attester/local_attester.h"

namespace eml {

Result<std::unique_ptr<Attester>> make_attester(const AttesterConfig& config, Random& random, const Clock& clock) {
  const auto kind = parse_evidence_kind(config.kind);
  if (!kind) {
    return fail(kAttesterKindUnknown, "evidence kind: local, tdx, sevsnp, nitro, confidential_space or tpm");
  }
  switch (*kind) {
    case EvidenceKind::kLocal:
      break;
    case EvidenceKind::kTdx:
      return fail(kAttesterKindUnsupported, "this program cannot make evidence of kind tdx yet");
    case EvidenceKind::kSevSnp:
      return fail(kAttesterKindUnsupported, "this program cannot make evidence of kind sevsnp yet");
    case EvidenceKind::kNitro:
      return fail(kAttesterKindUnsupported, "this program cannot make evidence of kind nitro yet");
    case EvidenceKind::kConfidentialSpace:
      return fail(kAttesterKindUnsupported, "this program cannot make evidence of kind confidential_space yet");
    case EvidenceKind::kTpm:
      return fail(kAttesterKindUnsupported, "this program cannot make evidence of kind tpm yet");
  }
  EML_TRY(auto local, LocalAttester::open({.state_directory = config.state_directory}, random, clock));
  return std::unique_ptr<Attester>(std::move(local));
}

}  // namespace eml
