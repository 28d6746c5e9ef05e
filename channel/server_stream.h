// ServerChannel's book-keeping of one request. Internal to channel/.
#pragma once

#include "channel/server_channel.h"

namespace eml {

// Streams that a client may open and cancel at once without letting one be answered. Twice the default of streams.
inline constexpr std::int32_t kResetCreditMax = 128;

struct ServerChannel::Stream {
  UserText body;  // until END
  std::size_t budget_taken = 0;
  std::size_t response_bytes = 0;
  std::size_t wiped_bytes = 0;
  Millis opened_at = 0;
  bool request_ended = false;
  bool refused = false;
  bool answer_ended = false;
  bool last_queued = false;
};

}  // namespace eml
