#include <benchmark/benchmark.h>

#include "crypto/hash.h"
#include "receipt/air.h"
#include "receipt/statement.h"

namespace eml {
namespace {

Ed25519Key key() { return *Ed25519Key::from_seed(copy_to_secret(Hash32{1, 2, 3})); }

AirClaims claims() {
  AirClaims out;
  out.issuer = "bench.example";
  out.issued_at = 1'764'072'000;
  out.cti = {1};
  out.model_id = "all-minilm-l6-v2";
  out.model_version = "1.0.0";
  out.model_hash = {1};
  out.measurements = {.type = MeasurementType::kLocal, .values = {{"binary", Bytes(48, 7)}}};
  out.policy_version = policy_version_of({});
  return out;
}

void receipt_issue(benchmark::State& state) {
  const Ed25519Key signer = key();
  const AirClaims what = claims();
  for (auto _ : state) benchmark::DoNotOptimize(issue_receipt(signer, what));
}
BENCHMARK(receipt_issue);

void receipt_verify(benchmark::State& state) {
  const Ed25519Key signer = key();
  const Bytes receipt = *issue_receipt(signer, claims());
  for (auto _ : state) benchmark::DoNotOptimize(verify_receipt(receipt, signer.public_key()));
}
BENCHMARK(receipt_verify);

void cleanup_issue(benchmark::State& state) {
  const Ed25519Key signer = key();
  CleanupStatement statement;
  statement.issuer = "bench.example";
  statement.issued_at = 1'764'072'000;
  statement.wiped = {.request = 4096, .parsed_text = 4096, .token_ids = 4096, .activations = 65536, .response = 4096};
  for (auto _ : state) benchmark::DoNotOptimize(issue_cleanup(signer, statement));
}
BENCHMARK(cleanup_issue);

}  // namespace
}  // namespace eml
