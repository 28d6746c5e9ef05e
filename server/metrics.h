// Metrics are a few numbers for the operator, in the Prometheus text format, version 0.0.4. No label holds text, a
// length, a key or an address of a client.
//
// Written here rather than with prometheus-cpp: Debian has that only as a shared library, and the program's bytes are
// what gets attested (docs/adr/0004-metrics.md).
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

namespace eml {

// Metrics is thread-safe: every member may be added to from any thread.
class Metrics {
 public:
  std::atomic<std::int64_t> connections{0};  // open now, handshakes included
  std::atomic<std::int64_t> channels{0};     // open now, keys stand
  std::atomic<std::int64_t> epochs{0};       // alive now
  std::atomic<std::uint64_t> weights_bytes{0};
  std::atomic<std::uint64_t> connections_total{0};
  std::atomic<std::uint64_t> connections_shed_total{0};  // closed at once: a limit was reached
  std::atomic<std::uint64_t> handshakes_failed_total{0};
  std::atomic<std::uint64_t> channels_total{0};
  std::atomic<std::uint64_t> requests_total{0};  // answered with 200 and a receipt
  std::atomic<std::uint64_t> refusals_total{0};  // answered with anything else
  std::atomic<std::uint64_t> resets_total{0};
  std::atomic<std::uint64_t> tokens_total{0};
  std::atomic<std::uint64_t> attestations_total{0};  // fresh evidence given

  // observe_request adds one duration, request read to answer queued.
  void observe_request(std::chrono::nanoseconds duration);

  // text renders everything.
  std::string text() const;

 private:
  static constexpr std::array<double, 10> kBounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 10};
  std::array<std::atomic<std::uint64_t>, kBounds.size() + 1> buckets_{};
  std::atomic<std::uint64_t> nanoseconds_{0};
};

}  // namespace eml
