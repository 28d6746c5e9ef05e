#include "engine/admission.h"

#include <algorithm>

namespace eml {
namespace {

// About ten passes, a third of a second: longer than a disturbance of the machine, shorter than its moods.
constexpr double kNewest = 0.1;

}  // namespace

void Admission::measured(std::size_t tokens, std::chrono::duration<double> thread_time) {
  if (tokens < kMeasuredTokensMin) return;
  const auto each = thread_time / static_cast<double>(tokens);
  per_token_ = per_token_.count() == 0 ? each : (1 - kNewest) * per_token_ + kNewest * each;
}

std::chrono::duration<double> Admission::wait_of(std::size_t tokens) const {
  return per_token_ * static_cast<double>(tokens) / threads_;
}

std::size_t Admission::tokens_in(std::chrono::duration<double> wait, std::size_t least) const {
  if (per_token_.count() <= 0) return least;
  return std::max(least, static_cast<std::size_t>(wait / per_token_ * threads_));
}

bool Admission::admit(const Request& request, std::chrono::nanoseconds now) {
  if (busy_ && now - refused_at_ > kCalmAfter) busy_ = false;
  const std::size_t tokens_max = busy_ && !request.first ? tokens_in(limits_.wait_busy_max, limits_.busy_tokens_min)
                                                         : tokens_in(limits_.wait_max, limits_.tokens_min);
  if (request.tokens_before <= tokens_max) return true;
  refused(now);
  return false;
}

void Admission::refused(std::chrono::nanoseconds now) {
  busy_ = true;
  refused_at_ = now;
}

}  // namespace eml
