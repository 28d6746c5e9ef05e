// Payloads of the channel's own records, decoded strictly. Internal to channel/. All errors are kChannelProtocol.
// Source: docs/spec/channel.md, 4.
#pragma once

#include "base/result.h"
#include "channel/limits.h"
#include "channel/records.h"

namespace eml {

// decode_reset: u16 code 1 to 4, on a stream that is not 0.
Result<ResetCode> decode_reset(const RecordView& record);
// decode_close: u16 code 0 to 3, on stream 0.
Result<CloseCode> decode_close(const RecordView& record);
// decode_goaway: u32 last stream that will be answered, on stream 0.
Result<StreamId> decode_goaway(const RecordView& record);
// check_ping: 8 bytes, on stream 0.
Status check_ping(const RecordView& record);

// close_code_for says what to tell the peer about an error inside an opened record. Nothing where the record did not
// open: that ends in silence.
std::optional<CloseCode> close_code_for(const Error& error);

// A keep-alive every second survives an answer of a quarter of an hour; a flood does not.
inline constexpr std::uint32_t kPingsMax = 1024;

}  // namespace eml
