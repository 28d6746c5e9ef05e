// Properties: a policy that loads loads again from its canonical form, with the same meaning of what can be asked; it
// accepts no local evidence without an entry that consents; signing keeps it loadable and binds its owner.
#include <cstdlib>

#include "attestation/policy_entry.h"
#include "attestation/policy_tools.h"
#include "encoding/json.h"

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const eml::ByteView bytes(data, size);
  const auto policy = eml::Policy::decode(bytes);
  if (!policy) return 0;
  const auto json = eml::parse_json(bytes, {.bytes_max = eml::kPolicyBytesMax});
  must(json.has_value());
  const std::string canonical = eml::canonical_json(*json);
  const auto again = eml::Policy::decode(eml::as_bytes(canonical));
  must(again && again->serial() == policy->serial() && again->local_roots() == policy->local_roots() &&
       again->accepts_evaluation() == policy->accepts_evaluation() &&
       again->requires_fresh() == policy->requires_fresh());
  must(policy->local_roots().empty() || policy->accepts_evaluation());

  eml::Checks lines;
  eml::VerifiedEvidence evidence;
  evidence.measurements["binary"] = eml::Bytes(48, 0);
  const auto decision = policy->appraise(evidence, {}, "", {}, 0, &lines);
  must(!lines.empty() && !decision);  // a root that is empty text is nobody's
  evidence.kind = eml::EvidenceKind::kTdx;
  must(!policy->appraise(evidence, {}, "", {}, 0));
  return 0;
}
