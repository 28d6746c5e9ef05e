// How long a genuine report of the shared corpus (EML_SHARED, default ../shared) takes from bytes to verdict.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "attestation/sevsnp/sevsnp.h"
#include "attestation/sevsnp/vek_cache.h"

namespace {

eml::Bytes read(const std::string& path) {
  const char* const named = std::getenv("EML_SHARED");
  std::ifstream in(std::string(named != nullptr ? named : "../shared") + "/corpus/" + path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

struct Input {
  eml::Bytes report = read("open/sevsnp/milan_v3_oak_release_report.bin");
  eml::Collateral collateral{{"vek", read("open/sevsnp/milan_v3_oak_release_vek.der")},
                             {"ca_chain", read("roots/amd/ask_ark_milan.pem")},
                             {"crl", read("roots/amd/crl_milan_20250506.der")}};
  eml::EvidenceInput view() const {
    return {.evidence = report, .collateral = &collateral, .time = 1762539573, .requirements = nullptr, .root = {}};
  }
};

// Everything from bytes: certificates decoded and verified, revocation list, report.
void cold(benchmark::State& state) {
  const Input input;
  if (input.report.empty()) return state.SkipWithError("no shared corpus");
  for (auto _ : state) {
    const eml::EvidenceVerdict verdict = eml::judge_sevsnp(input.view());
    if (verdict.error) return state.SkipWithError("a genuine report was refused");
  }
}
BENCHMARK(cold)->Name("sevsnp/cold")->Unit(benchmark::kMicrosecond);

// The same with the chain remembered.
void cached(benchmark::State& state) {
  const Input input;
  if (input.report.empty()) return state.SkipWithError("no shared corpus");
  eml::SnpVekCache cache;
  for (auto _ : state) {
    const eml::EvidenceVerdict verdict = eml::judge_sevsnp(input.view(), cache);
    if (verdict.error) return state.SkipWithError("a genuine report was refused");
  }
}
BENCHMARK(cached)->Name("sevsnp/cached")->Unit(benchmark::kMicrosecond);

// The report's own signature: what no cache can spare.
void signature(benchmark::State& state) {
  const Input input;
  if (input.report.empty()) return state.SkipWithError("no shared corpus");
  const auto report = eml::decode_snp_report(input.report).value();
  const auto vek = eml::Certificate::decode_der(input.collateral.at("vek")).value();
  for (auto _ : state) {
    if (!eml::verify_snp_signature(report, vek.public_key())) return state.SkipWithError("the signature failed");
  }
}
BENCHMARK(signature)->Name("sevsnp/signature")->Unit(benchmark::kMicrosecond);

}  // namespace
