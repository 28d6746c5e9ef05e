// Admission decides whether a request may wait: by how long it would, at the speed measured so far. A queue that is
// bounded by a count alone is a second long for short texts and a minute for long ones.
//
// A burst may wait for as long as `wait_max`: whoever keeps 64 requests in flight holds a queue of that length, and it
// does not grow. Once something had to be refused, more comes than can be computed: whatever is let in then stands
// behind a queue that never empties, so the queue is kept short, at `wait_busy_max`, until for kCalmAfter nothing had
// to be refused. A connection that has nothing else in the engine stays under the longer bound: who keeps the queue
// full cannot keep others out.
//
// No clock and no lock of its own.
#pragma once

#include <chrono>
#include <cstddef>

namespace eml {

struct AdmissionLimits {
  // At three times the load that can be computed, half as much again as this is let in before the first refusal: 0.6 %
  // of what two minutes admit, so their p99 is that of the short queue.
  std::chrono::nanoseconds wait_max = std::chrono::milliseconds(500);
  // Half of what a full pass of fp32 takes: each worker finds the next pass when it has ended one, and no more waits.
  std::chrono::nanoseconds wait_busy_max = std::chrono::milliseconds(25);
  // On a machine however slow a burst of this many tokens may wait (64 requests of 104, the mean of texts of 5 to 200),
  // and under load a pass.
  std::size_t tokens_min = 6656;
  std::size_t busy_tokens_min = 256;
};

class Admission {
 public:
  // Passes of fewer tokens spend their time on reading weights and say nothing about the speed of what waits in line.
  static constexpr std::size_t kMeasuredTokensMin = 64;
  static constexpr std::chrono::seconds kCalmAfter{1};  // the shortest time that Retry-After can name

  Admission(const AdmissionLimits& limits, unsigned threads) : limits_(limits), threads_(threads) {}

  // measured takes note of a pass: its tokens, and the time that it took times the threads that computed it.
  void measured(std::size_t tokens, std::chrono::duration<double> thread_time);

  struct Request {
    std::size_t tokens_before = 0;  // that are computed before its first text
    bool first = false;             // nothing else of its connection is in the engine
  };
  // admit says whether the request may wait, and remembers that it may not. `now` is monotonic.
  bool admit(const Request& request, std::chrono::nanoseconds now);
  // refused takes note of a request that was refused for another reason.
  void refused(std::chrono::nanoseconds now);

  // wait_of is how long that many tokens take all threads; zero before anything was measured.
  std::chrono::duration<double> wait_of(std::size_t tokens) const;

 private:
  std::size_t tokens_in(std::chrono::duration<double> wait, std::size_t least) const;

  const AdmissionLimits limits_;
  const unsigned threads_;
  std::chrono::duration<double> per_token_{0};  // smoothed, of one thread
  bool busy_ = false;
  std::chrono::nanoseconds refused_at_{0};
};

}  // namespace eml
