#include "attestation/tdx/tcb_status.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace eml::tdx {
namespace {

constexpr std::array<std::string_view, 10> kWords{"UpToDate",
                                                  "SWHardeningNeeded",
                                                  "ConfigurationNeeded",
                                                  "ConfigurationAndSWHardeningNeeded",
                                                  "OutOfDate",
                                                  "OutOfDateConfigurationNeeded",
                                                  "RelaunchAdvised",
                                                  "RelaunchAdvisedConfigurationNeeded",
                                                  "Revoked",
                                                  "TcbNotSupported"};

TcbStatus with_out_of_date(TcbStatus so_far) {
  switch (so_far) {
    case TcbStatus::kUpToDate:
    case TcbStatus::kSwHardeningNeeded:
      return TcbStatus::kOutOfDate;
    case TcbStatus::kConfigurationNeeded:
    case TcbStatus::kConfigurationAndSwHardeningNeeded:
      return TcbStatus::kOutOfDateConfigurationNeeded;
    default:
      return so_far;
  }
}

}  // namespace

std::string_view to_string(TcbStatus status) { return kWords.at(static_cast<std::size_t>(status)); }

std::optional<TcbStatus> parse_tcb_status(std::string_view word) {
  const auto found = static_cast<std::size_t>(std::ranges::find(kWords, word) - kWords.begin());
  if (found == kWords.size()) return std::nullopt;
  return static_cast<TcbStatus>(found);
}

bool needs_configuration(TcbStatus status) {
  return status == TcbStatus::kConfigurationNeeded || status == TcbStatus::kConfigurationAndSwHardeningNeeded ||
         status == TcbStatus::kOutOfDateConfigurationNeeded || status == TcbStatus::kRelaunchAdvisedConfigurationNeeded;
}

TcbStatus converge(TcbStatus so_far, TcbStatus part) {
  if (part == TcbStatus::kRevoked || part == TcbStatus::kTcbNotSupported) return part;
  return part == TcbStatus::kOutOfDate ? with_out_of_date(so_far) : so_far;
}

}  // namespace eml::tdx
