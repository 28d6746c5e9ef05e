// TcbStatus: Intel's words for how current a platform, a TDX module or a quoting enclave is, and how they combine.
// Source: docs/spec/evidence/tdx.md, section 6.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace eml::tdx {

enum class TcbStatus : std::uint8_t {
  kUpToDate,
  kSwHardeningNeeded,
  kConfigurationNeeded,
  kConfigurationAndSwHardeningNeeded,
  kOutOfDate,
  kOutOfDateConfigurationNeeded,
  kRelaunchAdvised,
  kRelaunchAdvisedConfigurationNeeded,
  kRevoked,
  kTcbNotSupported,  // no level matches
};

std::string_view to_string(TcbStatus status);
std::optional<TcbStatus> parse_tcb_status(std::string_view word);

// is_refused: the two that no requirement accepts.
constexpr bool is_refused(TcbStatus status) {
  return status == TcbStatus::kRevoked || status == TcbStatus::kTcbNotSupported;
}

bool needs_configuration(TcbStatus status);

// converge applies the status of one more part (TDX module, QE) to the status so far; step 7 of the section.
TcbStatus converge(TcbStatus so_far, TcbStatus part);

}  // namespace eml::tdx
