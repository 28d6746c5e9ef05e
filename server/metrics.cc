#include "server/metrics.h"

#include <fmt/format.h>

namespace eml {
namespace {

template <typename Value>
void family(std::string& out, std::string_view name, std::string_view type, std::string_view help, Value value) {
  out += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n{0} {3}\n", name, help, type, value);
}

}  // namespace

void Metrics::observe_request(std::chrono::nanoseconds duration) {
  const double seconds = std::chrono::duration<double>(duration).count();
  std::size_t i = 0;
  while (i < kBounds.size() && seconds > kBounds[i]) ++i;
  buckets_[i].fetch_add(1, std::memory_order_relaxed);
  nanoseconds_.fetch_add(static_cast<std::uint64_t>(duration.count()), std::memory_order_relaxed);
}

std::string Metrics::text() const {
  std::string out;
  family(out, "eml_connections", "gauge", "Connections open now.", connections.load());
  family(out, "eml_channels", "gauge", "Channels open now.", channels.load());
  family(out, "eml_epochs", "gauge", "Epochs alive now.", epochs.load());
  family(out, "eml_weights_bytes", "gauge", "The model's weights in memory, as the engine packs them.",
         weights_bytes.load());
  family(out, "eml_connections_total", "counter", "Connections accepted.", connections_total.load());
  family(out, "eml_connections_shed_total", "counter", "Connections closed at once by a limit.",
         connections_shed_total.load());
  family(out, "eml_handshakes_failed_total", "counter", "Connections that ended before their channel stood.",
         handshakes_failed_total.load());
  family(out, "eml_channels_total", "counter", "Channels opened.", channels_total.load());
  family(out, "eml_requests_total", "counter", "Requests answered with a receipt.", requests_total.load());
  family(out, "eml_refusals_total", "counter", "Requests refused.", refusals_total.load());
  family(out, "eml_resets_total", "counter", "Streams reset.", resets_total.load());
  family(out, "eml_tokens_total", "counter", "Tokens computed.", tokens_total.load());
  family(out, "eml_attestations_total", "counter", "Fresh evidence given.", attestations_total.load());

  out +=
      "# HELP eml_request_seconds From a request read whole to its answer queued.\n# TYPE eml_request_seconds "
      "histogram\n";
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < kBounds.size(); ++i) {
    cumulative += buckets_[i].load();
    out += fmt::format("eml_request_seconds_bucket{{le=\"{}\"}} {}\n", kBounds[i], cumulative);
  }
  cumulative += buckets_[kBounds.size()].load();
  out += fmt::format("eml_request_seconds_bucket{{le=\"+Inf\"}} {}\n", cumulative);
  out += fmt::format("eml_request_seconds_sum {}\n", static_cast<double>(nanoseconds_.load()) / 1e9);
  out += fmt::format("eml_request_seconds_count {}\n", cumulative);
  return out;
}

}  // namespace eml
