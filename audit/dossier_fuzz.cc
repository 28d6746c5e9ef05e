// If a dossier decodes, it encodes to the same bytes; and no dossier of the fuzzer's is verified, because it has no key
// that the policy pins.
#include <cstdlib>

#include "audit/audit_fixture.h"
#include "audit/report.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const eml::Policy policy = eml::test::FakeTee("a machine that no seed is from").policy();
  const eml::ByteView input(data, size);
  const auto parts = eml::decode_dossier(input);
  if (!parts) return 0;
  const auto again = eml::encode_dossier(*parts);
  if (!again || !eml::equal(again->bytes(), input)) std::abort();
  const auto verdict = eml::verify_dossier(eml::inputs_of(*parts), eml::test::expectations(policy));
  if (verdict.verdict == eml::Verdict::kVerified) std::abort();
  if (eml::render_json(verdict).empty() || eml::render_text(verdict, eml::Colour::kNone).empty()) std::abort();
  return 0;
}
