// The firmware's event log of a trust domain (CCEL) beside its RTMRs: what a quote proves only as sums, event by event.
// Source: docs/spec/evidence/tdx.md, step 14; the log's form: attestation/tpm/event_log.h.
#pragma once

#include <vector>

#include "attestation/tdx/quote.h"
#include "attestation/tpm/event_log.h"
#include "base/bytes.h"
#include "base/result.h"

namespace eml::tdx {

// verify_event_log replays a log of SHA-384 digests and compares it with the domain's RTMRs: register 1 to 4 of the log
// is RTMR 0 to 3. A register that the log does not extend is not judged: software extends RTMR 3, and keeps a log of
// its own. It returns the events with their RTMR as index. kEventLogParse; kEventLog.
Result<std::vector<NamedEvent>> verify_event_log(ByteView log, const TdReport& td);

}  // namespace eml::tdx
