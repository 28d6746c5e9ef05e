// Latency of one text, throughput of batches, the tokenizer, and the processor's own peak to hold them against. The
// model is the real one (engine/test_model.h says where it is looked for); without it only the peak is measured.
#include <benchmark/benchmark.h>

#include <random>

#include "base/cpu.h"
#include "engine/test_model.h"

namespace eml {
namespace {

// FLOP of one text: the linear layers and attention (engine/encoder.cc); the rest is below two percent.
double flop(const ModelConfig& c, std::size_t tokens) {
  const double h = c.hidden;
  const double s = static_cast<double>(tokens);
  return c.layers * (s * 2.0 * (4 * h * h + 2 * h * c.intermediate) + 4.0 * s * s * h);
}

const EmbeddingModel* model_with(std::string_view kernels) {
  static std::vector<std::shared_ptr<const EmbeddingModel>> models;
  for (const auto& model : models) {
    if (model->kernels() == kernels) return model.get();
  }
  if (!test::have_real_model()) return nullptr;
  auto loaded = load_model_directory(test::real_model_dir(), {.kernels = kernels});
  if (!loaded) return nullptr;
  models.push_back(*loaded);
  return models.back().get();
}

// Real ids: words of the middle of the vocabulary, never the same row twice in a row.
std::vector<std::vector<TokenId>> texts_of(const std::vector<std::size_t>& lengths) {
  std::mt19937 engine(1);
  std::vector<std::vector<TokenId>> out;
  for (const std::size_t length : lengths) {
    auto& text = out.emplace_back(length);
    for (TokenId& id : text) id = 1000 + static_cast<TokenId>(engine() % 20000);
    text.front() = 101;
    text.back() = 102;
  }
  return out;
}

void run_texts(benchmark::State& state, const std::string& kernels, const std::vector<std::size_t>& lengths) {
  const EmbeddingModel* model = model_with(kernels);
  if (model == nullptr) return state.SkipWithError("the real model is not there");
  const Encoder& encoder = model->encoder();
  auto workspace = encoder.make_workspace();
  if (!workspace) return state.SkipWithError("no memory");
  const auto texts = texts_of(lengths);
  std::vector<float> out(texts.size() * model->dimensions());
  double work = 0;
  for (const auto& text : texts) work += flop(model->config(), text.size());
  std::size_t tokens = 0;
  for (const auto& text : texts) tokens += text.size();
  for (auto _ : state) {
    for (std::size_t begin = 0; begin < texts.size();) {
      std::vector<TokenSpan> pass;
      std::size_t in_pass = 0;
      std::size_t end = begin;
      while (end < texts.size() && (end == begin || in_pass + texts[end].size() <= Encoder::kTokensPerPass)) {
        in_pass += texts[end].size();
        pass.emplace_back(texts[end++]);
      }
      const std::span<float> all(out);
      if (!encoder.embed(*workspace, pass,
                         all.subspan(begin * model->dimensions(), pass.size() * model->dimensions()))) {
        return state.SkipWithError("embed failed");
      }
      begin = end;
    }
    benchmark::DoNotOptimize(out.data());
  }
  const auto rounds = static_cast<double>(state.iterations());
  state.counters["GFLOP/s"] = benchmark::Counter(work * rounds / 1e9, benchmark::Counter::kIsRate);
  state.counters["tokens/s"] = benchmark::Counter(static_cast<double>(tokens) * rounds, benchmark::Counter::kIsRate);
}

void tokenize(benchmark::State& state) {
  const EmbeddingModel* model = model_with(kernels::available().front()->name);
  if (model == nullptr) return state.SkipWithError("the real model is not there");
  std::string text;
  for (int i = 0; i < 21; ++i) text += "The quick brown fox jumps ";
  TokenizerScratch scratch;
  TokenIds ids;
  for (auto _ : state) {
    if (!model->tokenize(ids, scratch, text)) return state.SkipWithError("tokenize failed");
    benchmark::DoNotOptimize(ids.data());
  }
  state.counters["ids"] = static_cast<double>(ids.size());
}

// The kernels' own inner loop on operands that stay in the first-level cache: what this processor can reach.
void peak(benchmark::State& state, const kernels::KernelTable* table) {
  constexpr std::size_t rows = 168;  // a multiple of every table's tile
  constexpr std::size_t depth = 64;
  constexpr std::size_t columns = kernels::kWidthStep;
  std::vector<float> a(rows * depth, 1.0F);
  std::vector<float> packed(columns * depth, 0.5F);
  std::vector<float> bias(columns);
  std::vector<float> out(rows * columns);
  for (auto _ : state) {
    table->linear({.a = a.data(),
                   .lda = depth,
                   .rows = rows,
                   .packed = packed.data(),
                   .depth = depth,
                   .depth_end = depth,
                   .column_end = columns,
                   .bias = bias.data(),
                   .out = out.data(),
                   .ldo = columns});
    benchmark::DoNotOptimize(out.data());
  }
  state.counters["GFLOP/s"] = benchmark::Counter(
      2.0 * rows * depth * columns * static_cast<double>(state.iterations()) / 1e9, benchmark::Counter::kIsRate);
}

const bool kRegistered = [] {
  for (const kernels::KernelTable* table : kernels::available()) {
    if (table->name == "scalar") continue;
    const std::string name(table->name);
    benchmark::RegisterBenchmark(("peak/" + name).c_str(), peak, table);
    for (const std::size_t s : {8U, 12U, 16U, 32U, 64U, 128U, 256U}) {
      benchmark::RegisterBenchmark(("latency/" + name + "/" + std::to_string(s)).c_str(), run_texts, name,
                                   std::vector<std::size_t>{s})
          ->Unit(benchmark::kMillisecond);
    }
    benchmark::RegisterBenchmark(("batch/" + name + "/32x128").c_str(), run_texts, name,
                                 std::vector<std::size_t>(32, 128))
        ->Unit(benchmark::kMillisecond);
    std::mt19937 engine(2);
    std::vector<std::size_t> ragged(64);
    for (std::size_t& length : ragged) length = 5 + engine() % 196;
    benchmark::RegisterBenchmark(("batch/" + name + "/64-ragged").c_str(), run_texts, name, ragged)
        ->Unit(benchmark::kMillisecond);
  }
  benchmark::RegisterBenchmark("tokenize", tokenize)->Unit(benchmark::kMicrosecond);
  return true;
}();

}  // namespace
}  // namespace eml
