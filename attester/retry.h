// Retry is how often a device is asked again that was busy, and how long to wait in between.
#pragma once

#include <chrono>
#include <functional>

#include "attester/attester.h"

namespace eml {

// pause_thread sleeps: a busy device cannot be waited for, only asked again, and evidence is made on a thread that may
// block. Tests give a pause of their own.
void pause_thread(std::chrono::milliseconds time);

struct Retry {
  int attempts = 8;                                                     // with the pauses below 1.3 s in all
  std::chrono::milliseconds first_pause{10};                            // each further one is twice as long
  std::function<void(std::chrono::milliseconds)> pause = pause_thread;  // other only in tests
};

// with_retries calls `once` until its result is something else than kAttesterBusy, at most retry.attempts times; the
// last result is returned.
template <typename Once>
auto with_retries(const Retry& retry, const Once& once) {
  auto pause = retry.first_pause;
  for (int attempt = 1;; ++attempt) {
    auto result = once();
    const bool busy = !result && result.error().code() == kAttesterBusy;
    if (!busy || attempt >= retry.attempts) return result;
    retry.pause(pause);
    pause *= 2;
  }
}

}  // namespace eml
