// EventLog is what firmware and loaders wrote beside the registers that they extended: TCG's crypto-agile format and
// the older SHA-1 format. It serves a TPM's PCRs and, as CCEL, the RTMRs of a TD.
//
// A log proves nothing by itself: replay_event_log computes the registers that it would have led to, and whoever has
// the registers from a quote compares. Even then only the digests are proven; an event's data is proven only where
// `data_measured` says so.
// Source: TCG PC Client Platform Firmware Profile, 1.06, sections 10.2 and 10.4; docs/spec/evidence/tpm.md, "Event
// log".
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/tpm_hash.h"

namespace eml {

inline constexpr ErrorCode kEventLogMalformed{ErrorClass::kMalformed, "event-log-malformed"};  // integer: offset
inline constexpr ErrorCode kEventLogAlgorithm{ErrorClass::kUnsupported, "event-log-algorithm"};
inline constexpr ErrorCode kEventLogLimit{ErrorClass::kLimit, "event-log-too-large"};

// The largest genuine log that we have seen has 24,000 bytes and 44 events; Linux reserves at most 64 KiB for one, and
// IMA is not in it.
inline constexpr std::size_t kEventLogBytesMax = 4 * 1024 * 1024;
inline constexpr std::size_t kEventsMax = 65536;

// Event types that the code names; TCG defines more. They are judged by nobody here.
inline constexpr std::uint32_t kEventNoAction = 3;

struct LogDigest {
  std::uint16_t algorithm = 0;  // TPM_ALG_ID
  Bytes digest;
};

struct LogEvent {
  std::uint32_t index = 0;  // of the register as the log counts: PCR, or for CCEL the MR number 1 to 4 (RTMR + 1)
  std::uint32_t type = 0;   // EV_...
  std::vector<LogDigest> digests;
  Bytes data;
};

struct EventLog {
  bool crypto_agile = false;              // false: SHA-1 format
  std::vector<std::uint16_t> algorithms;  // those of every event, in the header's order
  std::uint8_t startup_locality = 0;      // 0, 3 or 4: the initial value of PCR 0
  std::vector<LogEvent> events;           // with EV_NO_ACTION, without the header record
};

// decode_event_log reads a whole log. After the last record there may be padding, all 0xff or all zero, as ACPI tables
// have it; nothing else. kEventLogMalformed, kEventLogAlgorithm (a hash that is none of crypto/tpm_hash.h's),
// kEventLogLimit.
Result<EventLog> decode_event_log(ByteView log);

// Registers are replayed values by the log's index. A register that no event extended is not there.
using Registers = std::map<std::uint32_t, Bytes>;

// replay_event_log extends zeros (and PCR 0's startup locality) by each event's digest of `algorithm`:
// new = H(old || digest). EV_NO_ACTION extends nothing. kEventLogAlgorithm if the log has no such digests.
Result<Registers> replay_event_log(const EventLog& log, std::uint16_t algorithm);

// NamedEvent is an event as a policy or a person would name it.
struct NamedEvent {
  std::uint32_t index = 0;
  std::string type;  // "EV_SEPARATOR", or "EV_0x..." for one that we have no name for
  std::string name;  // variable name ("SecureBoot"), command line, action; printable ASCII; empty if it has none
  Bytes digest;      // of the algorithm that was asked for
  // The digest is the hash of this event's whole data (for EV_IPL of the text that `name` is), so a register that
  // matches proves `name` too. False: `name` is a remark of whoever wrote the log.
  bool data_measured = false;
};

// name_events lists all events that extended a register. kEventLogAlgorithm.
Result<std::vector<NamedEvent>> name_events(const EventLog& log, std::uint16_t algorithm);

}  // namespace eml
