// What judging a Nitro document costs, whole: decoding five certificates, verifying five signatures on P-384. The
// document is a genuine one of the shared corpus, by EML_SHARED; without it there is nothing to measure.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "attestation/judge.h"
#include "attestation/nitro/document.h"

namespace eml {
namespace {

Bytes genuine_document() {
  const char* const shared = std::getenv("EML_SHARED");  // NOLINT(concurrency-mt-unsafe): one thread
  const std::string folder = shared == nullptr ? "../shared" : shared;
  std::ifstream file(folder + "/corpus/open/nitro/dstack_20251225.cbor", std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

constexpr UnixSeconds kGenuineTime = 1766678659;  // 2025-12-25T16:04:19Z, when it was made

void nitro_judge(benchmark::State& state) {
  const Bytes document = genuine_document();
  for (auto _ : state) {
    const EvidenceVerdict verdict = judge_nitro({.evidence = document, .time = kGenuineTime});
    if (verdict.error) {
      state.SkipWithError("the genuine document of the corpus is not there, or not valid");
      break;
    }
  }
}
BENCHMARK(nitro_judge)->Unit(benchmark::kMicrosecond);

void nitro_decode(benchmark::State& state) {
  const Bytes document = genuine_document();
  for (auto _ : state) benchmark::DoNotOptimize(UnverifiedNitroDocument::decode(document));
}
BENCHMARK(nitro_decode)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace eml
