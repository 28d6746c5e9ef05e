// The whole verification of one genuine quote, with its collateral in memory: without a cache, and the second quote of
// a platform with one. The evidence is the shared corpus' (EML_SHARED, else ../shared beside the working directory).
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "attestation/tdx/collateral.h"
#include "attestation/tdx/tdx.h"

namespace eml {
namespace {

struct Evidence {
  Bytes quote;
  Collateral collateral;
  UnixSeconds time = 0;

  EvidenceInput input() const { return {.evidence = quote, .collateral = &collateral, .time = time}; }
};

Bytes read(const std::string& path) {
  const char* named = std::getenv("EML_SHARED");
  std::ifstream in((named == nullptr ? std::string("../shared") : std::string(named)) + "/corpus/" + path,
                   std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(in), {});
}

// load reads one case of the corpus; nothing if it is not there.
std::optional<Evidence> load(std::string_view file, std::string_view id) {
  const auto cases = parse_json(read(std::string(file)), {.bytes_max = std::size_t{1} << 24});
  if (!cases || !cases->is_array()) return std::nullopt;
  for (const Json& one : cases->get_array()) {
    if (one.at("id").get_string() != id) continue;
    Evidence out{.quote = read(std::string(std::string_view(one.at("evidence").get_string())))};
    out.time = parse_rfc3339(std::string_view(one.at("time").get_string())).value();
    for (const auto& member : one.at("collateral").get_object()) {
      out.collateral.emplace(std::string(std::string_view(member.key())),
                             read(std::string(std::string_view(member.value().get_string()))));
    }
    return out;
  }
  return std::nullopt;
}

const std::optional<Evidence>& tdx_v4() {
  static const auto evidence = load("open/tdx/cases.json", "tdx_v4_gcp_cos113_00806f05@20250228");
  return evidence;
}

const std::optional<Evidence>& tdx_v5() {
  static const auto evidence = load("open/tdx/cases.json", "tdx_v5_gotdxguest_90c06f@20260301");
  return evidence;
}

const std::optional<Evidence>& sgx_v3() {
  static const auto evidence = load("open/tdx/cases.json", "sgx_v3_dcapqvl_00a067@20240910");
  return evidence;
}

using Loader = const std::optional<Evidence>& (*)();

void judge_cold(benchmark::State& state, Loader loader) {
  const auto& evidence = loader();
  if (!evidence) return state.SkipWithError("no shared corpus");
  for (auto _ : state) {
    const EvidenceVerdict verdict = judge_tdx(evidence->input());
    if (verdict.error) return state.SkipWithError("not valid");
  }
}
BENCHMARK_CAPTURE(judge_cold, tdx_v4, tdx_v4);
BENCHMARK_CAPTURE(judge_cold, tdx_v5, tdx_v5);
BENCHMARK_CAPTURE(judge_cold, sgx_v3, sgx_v3);

void judge_second_quote(benchmark::State& state, Loader loader) {
  const auto& evidence = loader();
  if (!evidence) return state.SkipWithError("no shared corpus");
  tdx::VerifierCache cache;
  if (judge_tdx(evidence->input(), cache).error) return state.SkipWithError("not valid");
  for (auto _ : state) {
    const EvidenceVerdict verdict = judge_tdx(evidence->input(), cache);
    if (verdict.error) return state.SkipWithError("not valid");
  }
}
BENCHMARK_CAPTURE(judge_second_quote, tdx_v4, tdx_v4);
BENCHMARK_CAPTURE(judge_second_quote, tdx_v5, tdx_v5);

void decode_quote(benchmark::State& state) {
  if (!tdx_v4()) return state.SkipWithError("no shared corpus");
  for (auto _ : state) benchmark::DoNotOptimize(tdx::decode_quote(tdx_v4()->quote));
}
BENCHMARK(decode_quote);

void decode_tcb_info(benchmark::State& state) {
  if (!tdx_v4()) return state.SkipWithError("no shared corpus");
  for (auto _ : state) benchmark::DoNotOptimize(tdx::decode_tcb_info(tdx_v4()->collateral.at("tcb_info")));
}
BENCHMARK(decode_tcb_info);

void verify_pck_chain(benchmark::State& state) {
  if (!tdx_v4()) return state.SkipWithError("no shared corpus");
  const auto quote = tdx::decode_quote(tdx_v4()->quote);
  const Hash32 root = decode_pem_certificates(quote->cert_data)->back().fingerprint();
  for (auto _ : state) benchmark::DoNotOptimize(tdx::verify_pck_chain(quote->cert_data, root));
}
BENCHMARK(verify_pck_chain);

}  // namespace
}  // namespace eml
