// Properties: whatever evidence says, what is asked for stays a path of one service; and an answer's item is never
// larger than the answer. The first byte picks the kind.
#include <cstdlib>

#include "attestation/collateral_form.h"
#include "attestation/collateral_plan.h"
#include "attestation/kinds.h"

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

bool is_of_a_path(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("/._-?=&@").find(c) != std::string_view::npos;
}

void plan(std::string_view kind, eml::ByteView bytes) {
  const auto plan = eml::plan_collateral(kind, bytes, {.product = eml::SnpProduct::kMilan});
  if (!plan) return;
  for (const auto& request : plan->requests) {
    must(request.target.starts_with('/') && request.target.find("..") == std::string::npos && !request.parts.empty());
    for (const char c : request.target) must(is_of_a_path(c));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const eml::ByteView bytes = eml::ByteView(data, size).subspan(1);
  const auto kinds = eml::kind_verifiers();
  plan(kinds[data[0] % kinds.size()].name, bytes);
  for (const auto source : {eml::CollateralSource::kPemHeader, eml::CollateralSource::kBase64Member}) {
    const eml::CollateralPart part{.name = "x", .file = "x.y", .source = source, .key = "rim"};
    const auto item = eml::extract_collateral(part, bytes, eml::as_text(bytes));
    must(!item || item->size() <= bytes.size());
  }
  (void)eml::decode_collateral_item(static_cast<eml::CollateralForm>(data[0] % 8), bytes);
  return 0;
}
