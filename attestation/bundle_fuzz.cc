// Properties: what decodes encodes to the same bytes; what is accepted under a pinned root is accepted again and has a
// binding that decodes; describing never fails on what decodes.
#include <cstdlib>

#include "attestation/bundle.h"
#include "attestation/describe.h"
#include "attestation/local/local.h"
#include "attestation/policy_tools.h"

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

eml::Result<eml::SignedModel> no_manifest(eml::ByteView) {
  return eml::fail(eml::kBundleManifestHash, "the fuzzer has no publisher");
}

// The roots are those that the input itself names: the attacker's best case, and it reaches the later checks.
void verify_under_its_own_root(eml::ByteView bytes, const eml::EvidenceBundle& bundle) {
  const auto statement = eml::decode_local_evidence(bundle.evidence);
  if (!statement) return;
  const auto binding = eml::decode_binding(bundle.binding);
  if (!binding) return;
  const eml::BundleExpectation expectation{.purpose = binding->purpose,
                                           .time = binding->issued_at,
                                           .challenge = binding->challenge,
                                           .verify_manifest = no_manifest};
  // Without a manifest that verifies nothing is ever genuine.
  must(!eml::verify_bundle(bytes, expectation, {.local = {statement->root}}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const eml::ByteView bytes(data, size);
  if (const auto binding = eml::decode_binding(bytes)) must(eml::equal(eml::encode_binding(*binding), bytes));
  const auto bundle = eml::decode_bundle(bytes);
  if (!bundle) return 0;
  must(eml::equal(eml::encode_bundle(*bundle), bytes));
  if (const auto binding = eml::decode_binding(bundle->binding)) {
    must(eml::equal(eml::encode_binding(*binding), bundle->binding));
  }
  const auto description = eml::describe_bundle(bytes);
  must(description.has_value());
  for (const char c : eml::description_text(*description)) must(c == '\n' || (c >= 0x20 && c < 0x7f));
  static_cast<void>(eml::draft_entry_from_bundle(bytes, {.name = "x", .approved_by = "x"}));
  verify_under_its_own_root(bytes, *bundle);
  return 0;
}
