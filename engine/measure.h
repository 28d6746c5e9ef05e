// How fast the engine is on this machine: `ephemeralml bench engine`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "engine/embedding_model.h"
#include "engine/token.h"

namespace eml {

inline constexpr ErrorCode kMeasureLine{ErrorClass::kMalformed, "measure-line"};

// The lengths of the latency table.
inline constexpr std::size_t kMeasureLengths[] = {8, 16, 32, 64, 128, 256};

// MeasureLoad is some texts to be embedded as one request, as ids of real text.
struct MeasureLoad {
  std::string name;  // "8" to "256", "32x128", "ragged"
  std::vector<std::vector<TokenId>> texts;
  std::size_t tokens() const;
};

// measure_loads makes the loads of the tables: one text of each length, 32 texts of 128 tokens, and 64 texts of 5 to
// 200, all cut from a text that the program brings. Lengths over the model's own are left out.
Result<std::vector<MeasureLoad>> measure_loads(const EmbeddingModel& model);

// work_flop is the floating-point operations of the linear layers and of attention; the rest is below two percent.
double work_flop(const ModelConfig& config, const MeasureLoad& load);

// peak_gflops is the best of many short runs of a loop, in 10^9 operations per second; 0 if there is none.
double peak_gflops(const kernels::PeakLoop& peak, const Clock& clock);

// MeasureBy is what is counted: time that passes, or the processor time of the whole process, which is steadier on a
// machine that others use but says nothing about several threads.
enum class MeasureBy : std::uint8_t { kElapsed, kProcessor };

// Measured is one load's times with one model on some threads.
struct Measured {
  std::string_view profile;  // the model's numerics
  unsigned threads = 1;
  const MeasureLoad* load = nullptr;
  std::vector<double> ms;  // all samples
  double median_ms() const;
};

// measure_all runs every load on every model with every number of threads, `rounds` times, interleaved, so that a
// disturbance of the machine meets all alike. One thread runs the encoder itself, more of them a Batcher as `serve`
// does. Errors: those of Encoder and Batcher.
Result<std::vector<Measured>> measure_all(const std::vector<std::shared_ptr<const EmbeddingModel>>& models,
                                          const std::vector<MeasureLoad>& loads, const std::vector<unsigned>& threads,
                                          std::size_t rounds, MeasureBy by, const Clock& clock);

// measure_lines answers each line {"texts":[[id,...],...],"repeat":n} of `in` with {"ms":...,"cpu_ms":...}: the median
// of n runs, as time that passed and as processor time of the whole process. {"tokenize":["...",...],"repeat":n} is the
// same for the tokenizer. So another program can measure several engines in turn. Errors: kMeasureLine; those of
// Encoder and Batcher.
Status measure_lines(const std::shared_ptr<const EmbeddingModel>& model, unsigned threads, std::istream& in,
                     std::ostream& out, const Clock& clock);

}  // namespace eml
