// Properties: what decodes holds its hardware report and runtime data where Azure puts them, and nothing but zeros
// behind; runtime data is bound only by its own hash.
#include <algorithm>
#include <cstdlib>

#include "attestation/tpm/hcl_report.h"
#include "crypto/hash.h"

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const eml::ByteView bytes(data, size);
  static_cast<void>(eml::hcl_attestation_key(bytes));
  const auto report = eml::decode_hcl_report(bytes);
  if (!report) return 0;
  constexpr std::size_t kData = 32 + 1184 + 20;
  must(eml::equal(report->hardware_report, bytes.subspan(32, report->hardware_report.size())));
  must(eml::equal(report->runtime_data, bytes.subspan(kData, report->runtime_data.size())));
  must(std::ranges::all_of(bytes.subspan(kData + report->runtime_data.size()), [](auto byte) { return byte == 0; }));
  const eml::Bytes report_data = eml::hcl_report_data(*report);
  const bool bound = eml::expect_runtime_data(report_data, report->runtime_data).has_value();
  must(bound == eml::equal(report_data, eml::concat(eml::sha256(report->runtime_data), eml::Hash32{})));
  return 0;
}
