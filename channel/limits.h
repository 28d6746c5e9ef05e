// The numbers of a channel and the codes that both ends share.
// Source: docs/spec/channel.md, 4 and 7.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"

namespace eml {

// Millis is a monotonic time in milliseconds with any origin. The channel has no clock: whoever drives it passes one.
using Millis = std::uint64_t;

// StreamId counts requests of a channel: 1, 2, 3 ... 0 is the channel itself.
using StreamId = std::uint32_t;

enum class ResetCode : std::uint16_t { kCancelled = 1, kLimit = 2, kInternal = 3, kDeadline = 4 };
enum class CloseCode : std::uint16_t { kDone = 0, kProtocol = 1, kLimit = 2, kInternal = 3 };

inline constexpr ErrorCode kChannelState{ErrorClass::kInternal, "channel-state"};
inline constexpr ErrorCode kChannelClosed{ErrorClass::kUnavailable, "channel-closed"};
inline constexpr ErrorCode kChannelTruncated{ErrorClass::kUnavailable, "channel-truncated"};
inline constexpr ErrorCode kChannelTimeout{ErrorClass::kLimit, "channel-timeout"};
inline constexpr ErrorCode kChannelGoingAway{ErrorClass::kUnavailable, "channel-going-away"};
inline constexpr ErrorCode kChannelProtocol{ErrorClass::kMalformed, "channel-protocol"};
inline constexpr ErrorCode kChannelLimit{ErrorClass::kLimit, "channel-limit"};
inline constexpr ErrorCode kStreamGone{ErrorClass::kUnavailable, "stream-gone"};
inline constexpr ErrorCode kStreamsExhausted{ErrorClass::kLimit, "streams-exhausted"};
inline constexpr ErrorCode kRequestTooLarge{ErrorClass::kLimit, "request-too-large"};
inline constexpr ErrorCode kSettingsMalformed{ErrorClass::kMalformed, "settings-malformed"};

// ChannelLimits are the defaults of docs/spec/channel.md, 7. A server states the first three and idle_ms in SETTINGS.
struct ChannelLimits {
  std::uint32_t streams = 64;                         // open at the same time
  std::size_t request_bytes_max = 4U << 20;           // one Binary HTTP request
  std::size_t response_bytes_max = 64U << 20;         // one Binary HTTP response
  std::size_t unfinished_bytes_max = 8U << 20;        // requests whose END has not arrived, all streams together
  std::size_t queued_output_max = 256U << 10;         // from here on a streamed answer pauses
  std::uint32_t handshake_ms_max = 5000;              // from the first byte of the connection to client_finish
  std::uint32_t idle_ms = 120000;                     // without an open stream
  std::uint32_t stall_ms_max = 30000;                 // output waits and the peer takes nothing
  std::uint32_t request_bytes_per_s_min = 16U << 10;  // after 5 s
};

// RequestBudget bounds the request bytes of all channels of a process together (default 1 GiB). Thread-safe; shared by
// reference and outlives its channels.
class RequestBudget {
 public:
  explicit RequestBudget(std::size_t bytes_max) : max_(bytes_max) {}
  // take reserves n bytes, or nothing and returns false.
  bool take(std::size_t n) {
    std::size_t used = used_.load(std::memory_order_relaxed);
    while (n <= max_ - used) {
      if (used_.compare_exchange_weak(used, used + n, std::memory_order_relaxed)) return true;
    }
    return false;
  }
  void give_back(std::size_t n) { used_.fetch_sub(n, std::memory_order_relaxed); }
  std::size_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  std::size_t max_;
  std::atomic<std::size_t> used_{0};
};

// Settings is the server's first record: the limits that a client must keep.
struct Settings {
  std::uint32_t streams = 64;
  std::uint64_t request_bytes_max = 4U << 20;
  std::uint64_t response_bytes_max = 64U << 20;
  std::uint32_t idle_ms = 120000;
  friend bool operator==(const Settings&, const Settings&) = default;
};

// encode_settings gives deterministic CBOR {1 streams, 2 request bytes, 3 response bytes, 4 idle ms}. decode_settings
// accepts nothing else, each at least 1 and below 2^32 (2^48 for bytes): kSettingsMalformed, or the CBOR error.
Bytes encode_settings(const Settings& settings);
Result<Settings> decode_settings(ByteView payload);

}  // namespace eml
