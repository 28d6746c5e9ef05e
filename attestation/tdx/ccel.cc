#include "attestation/tdx/ccel.h"

#include <utility>

#include "attestation/tdx/errors.h"

namespace eml::tdx {
namespace {

// CCEL counts MRTD as 0 and the RTMRs from 1.
constexpr std::uint32_t kFirstRegister = 1;

}  // namespace

Result<std::vector<NamedEvent>> verify_event_log(ByteView log, const TdReport& td) {
  const auto decoded = decode_event_log(log);
  if (!decoded) {
    return fail(kEventLogParse, "the event log is not one", decoded.error().has_first() ? decoded.error().first() : 0);
  }
  const auto registers = replay_event_log(*decoded, kTpmSha384);
  auto events = name_events(*decoded, kTpmSha384);
  if (!registers || !events) return fail(kEventLogParse, "the event log has no SHA-384 digests");
  for (const auto& [index, value] : *registers) {
    if (index < kFirstRegister || index >= kFirstRegister + td.rtmr.size()) {
      return fail(kEventLogParse, "the event log extends a register that is no RTMR", index);
    }
    if (!equal(value, td.rtmr[index - kFirstRegister])) {
      return fail(kEventLog, "the event log leads to another value of an RTMR", index - kFirstRegister);
    }
  }
  for (NamedEvent& event : *events) event.index -= kFirstRegister;
  return std::move(*events);
}

}  // namespace eml::tdx
