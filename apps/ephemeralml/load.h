// run_load asks a server for embeddings over one or more channels and keeps what came back.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "client/client.h"
#include "net/endpoint.h"

namespace eml::cli {

struct LoadPlan {
  Endpoint server;
  ClientOptions client;
  std::vector<std::string> texts;  // request n asks for texts[n % size]
  std::optional<Bytes> nonce;
  EmbeddingFormat format = EmbeddingFormat::kBase64;
  std::uint64_t count = 1;
  std::uint32_t channels = 1;
  std::uint32_t in_flight = 1;  // on each channel; not used with a rate
  double rate = 0;              // requests due in a second, over all channels, whether or not answers come; 0: none
  Keep keep = Keep::kNothing;
};

// Answered is one finished request, in the order of finishing; `number` counts them from 1.
struct Answered {
  std::uint64_t number = 0;
  // From handing it to the channel, or with a rate from when it was due, to its receipt verified.
  std::chrono::nanoseconds latency{0};
  const Client* client = nullptr;  // valid during the call
  Answer answer;
};

struct LoadResult {
  std::vector<double> latencies_ms;  // of the successes, unsorted
  std::vector<double> refusals_ms;   // of those that were answered 429, with a signed reason; they are failures, too
  std::uint64_t failures = 0;
  std::uint64_t unanswered = 0;           // of the failures: never sent, or never answered
  std::chrono::nanoseconds connect{0};    // TCP, of the first channel
  std::chrono::nanoseconds handshake{0};  // from the first byte to a trusted server, of the first channel
  std::chrono::nanoseconds total{0};      // from the first request sent to the last answer
  bool sequences_complete = true;         // each channel's receipts counted 0, 1, 2 ... without a gap
  std::optional<Error> error;             // why a channel could not be opened, or ended early
  std::uint64_t bytes_sent = 0;           // on the wire, handshakes included
  std::uint64_t bytes_received = 0;
};

// run_load blocks until every request has ended. `on_answer` is called for each; an error that it returns (a full disk)
// counts as that request's failure.
LoadResult run_load(const LoadPlan& plan, const std::function<Status(Answered&)>& on_answer);

// nearest_rank is the smallest value that at least p percent of `sorted` do not exceed; 0 of nothing.
double nearest_rank(const std::vector<double>& sorted, double percent);

}  // namespace eml::cli
