#include "engine/measure.h"

#include <ctime>

#include <algorithm>
#include <future>
#include <istream>
#include <memory>
#include <ostream>
#include <random>

#include "encoding/json.h"
#include "engine/batcher.h"

namespace eml {
namespace {

#include "engine/measure_text.inc"

constexpr double kSampleMs = 25;  // a load is repeated until a sample is as long as this: clocks and caches settle
constexpr std::size_t kPeakRuns = 200;
constexpr std::size_t kLineBytesMax = std::size_t{4} << 20;
constexpr std::size_t kRepeatMax = 10000;

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

struct Spent {
  double ms = 0;
  double cpu_ms = 0;  // of all threads of the process
};

double cpu_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

// Runner embeds a load and says how long it took. Its memory is made once.
class Runner {
 public:
  virtual ~Runner() = default;

  Result<Spent> run(const std::vector<std::vector<TokenId>>& texts, const Clock& clock) {
    const auto begin = clock.monotonic();
    const double cpu_begin = cpu_ms();
    EML_CHECK(embed(texts));
    const std::chrono::duration<double, std::milli> ms = clock.monotonic() - begin;
    return Spent{.ms = ms.count(), .cpu_ms = cpu_ms() - cpu_begin};
  }

 protected:
  virtual Status embed(const std::vector<std::vector<TokenId>>& texts) = 0;
};

// EncoderRunner packs passes as full as the engine's own callers do.
class EncoderRunner final : public Runner {
 public:
  EncoderRunner(const EmbeddingModel& model, Workspace workspace) : model_(model), workspace_(std::move(workspace)) {}

 protected:
  Status embed(const std::vector<std::vector<TokenId>>& texts) override {
    for (std::size_t next = 0; next < texts.size();) {
      pass_.clear();
      std::size_t tokens = 0;
      do {
        tokens += texts[next].size();
        pass_.emplace_back(texts[next++]);
      } while (next < texts.size() && tokens + texts[next].size() <= Encoder::kTokensPerPass);
      out_.resize(pass_.size() * model_.dimensions());
      EML_CHECK(model_.encoder().embed(workspace_, pass_, out_));
    }
    return {};
  }

 private:
  const EmbeddingModel& model_;
  Workspace workspace_;
  std::vector<TokenSpan> pass_;
  std::vector<float> out_;
};

class BatcherRunner final : public Runner {
 public:
  explicit BatcherRunner(std::unique_ptr<Batcher> batcher) : batcher_(std::move(batcher)) {}

 protected:
  Status embed(const std::vector<std::vector<TokenId>>& texts) override {
    TokenBatch batch;
    for (const auto& text : texts) batch.add(text);
    std::promise<Status> done;
    EML_CHECK(batcher_->submit(1, std::move(batch), [&](EmbedOutcome&& outcome) { done.set_value(outcome.status); }));
    return done.get_future().get();
  }

 private:
  std::unique_ptr<Batcher> batcher_;
};

// TokenizerRunner tokenizes its own texts.
class TokenizerRunner final : public Runner {
 public:
  TokenizerRunner(const EmbeddingModel& model, const std::vector<std::string>& texts) : model_(model), texts_(texts) {}

 protected:
  Status embed(const std::vector<std::vector<TokenId>>& /*texts*/) override {
    for (const std::string& text : texts_) EML_CHECK(model_.tokenize(ids_, scratch_, text));
    return {};
  }

 private:
  const EmbeddingModel& model_;
  const std::vector<std::string>& texts_;
  TokenizerScratch scratch_;
  TokenIds ids_;
};

Result<std::unique_ptr<Runner>> make_runner(const std::shared_ptr<const EmbeddingModel>& model, unsigned threads,
                                            const Clock& clock) {
  if (threads > 1) {
    EML_TRY(auto batcher, Batcher::start(model, clock, {.threads = threads}));
    return std::make_unique<BatcherRunner>(std::move(batcher));
  }
  EML_TRY(Workspace workspace, model->encoder().make_workspace());
  return std::make_unique<EncoderRunner>(*model, std::move(workspace));
}

// Appends as many samples as fill kSampleMs to `into`.
Status sample(Runner& runner, const MeasureLoad& load, MeasureBy by, const Clock& clock, std::vector<double>& into) {
  double spent = 0;
  do {
    EML_TRY(const Spent once, runner.run(load.texts, clock));
    into.push_back(by == MeasureBy::kElapsed ? once.ms : once.cpu_ms);
    spent += once.ms;
  } while (spent < kSampleMs);
  return {};
}

// Texts of given lengths, each from another place of the prose, between [CLS] and [SEP].
MeasureLoad cut(std::string name, const TokenIds& prose, const std::vector<std::size_t>& lengths) {
  MeasureLoad out{.name = std::move(name), .texts = {}};
  std::size_t next = 0;
  const std::size_t inner = prose.size() - 2;
  for (const std::size_t length : lengths) {
    auto& text = out.texts.emplace_back();
    text.push_back(prose.front());
    while (text.size() + 1 < length) text.push_back(prose[1 + next++ % inner]);
    text.push_back(prose.back());
  }
  return out;
}

struct LineWork {
  std::vector<std::vector<TokenId>> texts;
  std::vector<std::string> tokenize;
  std::size_t repeat = 1;
};

Result<LineWork> parse_line(const std::string& line) {
  const auto bad = [](Literal what) { return fail(kMeasureLine, what); };
  const auto json = parse_json(as_bytes(line), {.bytes_max = kLineBytesMax, .depth_max = 4});
  if (!json || !json->is_object()) return bad("not a JSON object");
  const auto repeat = json_uint(json->get_object(), "repeat");
  if (!repeat || *repeat == 0 || *repeat > kRepeatMax) return bad("\"repeat\" is not there or out of range");
  LineWork out{.texts = {}, .tokenize = {}, .repeat = *repeat};
  if (const auto tokenize = json_array(json->get_object(), "tokenize")) {
    for (const Json& text : **tokenize) {
      if (!text.is_string()) return bad("a text to tokenize is not text");
      out.tokenize.emplace_back(text.get_string());
    }
    return out;
  }
  const auto texts = json_array(json->get_object(), "texts");
  if (!texts) return bad("neither \"texts\" nor \"tokenize\"");
  for (const Json& text : **texts) {
    if (!text.is_array()) return bad("a text is not an array of token ids");
    auto& ids = out.texts.emplace_back();
    for (const Json& id : text.get_array()) {
      if (!id.is_int64() || id.get_int64() < 0 || id.get_int64() > UINT32_MAX) return bad("not a token id");
      ids.push_back(static_cast<TokenId>(id.get_int64()));
    }
  }
  return out;
}

}  // namespace

std::size_t MeasureLoad::tokens() const {
  std::size_t sum = 0;
  for (const auto& text : texts) sum += text.size();
  return sum;
}

double Measured::median_ms() const { return median(ms); }

Result<std::vector<MeasureLoad>> measure_loads(const EmbeddingModel& model) {
  TokenizerScratch scratch;
  TokenIds prose;
  EML_CHECK(model.tokenizer().encode(prose, scratch, kMeasureText, kMeasureText.size()));
  const std::size_t tokens_max = model.config().tokens_max;
  std::vector<MeasureLoad> out;
  for (const std::size_t length : kMeasureLengths) {
    if (length <= tokens_max) out.push_back(cut(std::to_string(length), prose, {length}));
  }
  if (tokens_max < 200) return out;
  out.push_back(cut("32x128", prose, std::vector<std::size_t>(32, 128)));
  std::vector<std::size_t> ragged(64);
  // 83 and 196 have no common factor: the lengths are spread evenly, in no order. tests/peers/run.py has the same.
  for (std::size_t i = 0; i < ragged.size(); ++i) ragged[i] = 5 + i * 83 % 196;
  out.push_back(cut("ragged", prose, ragged));
  return out;
}

double work_flop(const ModelConfig& config, const MeasureLoad& load) {
  const double h = config.hidden;
  double sum = 0;
  for (const auto& text : load.texts) {
    const auto s = static_cast<double>(text.size());
    sum += config.layers * (s * 2.0 * (4 * h * h + 2 * h * config.intermediate) + 4.0 * s * s * h);
  }
  return sum;
}

double peak_gflops(const kernels::PeakLoop& peak, const Clock& clock) {
  if (peak.run == nullptr) return 0;
  std::mt19937 engine(1);
  std::vector<float> values(kernels::PeakLoop::kValues);
  for (float& x : values) x = static_cast<float>(engine() % 2000) / 1000.0F - 1.0F;
  double best = 0;
  volatile float sink = 0;
  for (std::size_t i = 0; i < kPeakRuns; ++i) {
    const auto begin = clock.monotonic();
    sink = peak.run(values.data());
    const std::chrono::duration<double, std::nano> ns = clock.monotonic() - begin;
    best = std::max(best, peak.operations / ns.count());
  }
  static_cast<void>(sink);
  return best;
}

Result<std::vector<Measured>> measure_all(const std::vector<std::shared_ptr<const EmbeddingModel>>& models,
                                          const std::vector<MeasureLoad>& loads, const std::vector<unsigned>& threads,
                                          std::size_t rounds, MeasureBy by, const Clock& clock) {
  std::vector<Measured> out;
  std::vector<std::unique_ptr<Runner>> runners;
  for (const auto& model : models) {
    for (const unsigned n : threads) {
      EML_TRY(auto runner, make_runner(model, n, clock));
      runners.push_back(std::move(runner));
      for (const MeasureLoad& load : loads) {
        out.push_back({.profile = model->numerics(), .threads = n, .load = &load, .ms = {}});
      }
    }
  }
  for (std::size_t round = 0; round < rounds; ++round) {
    // All engines at one load, then the next load.
    for (std::size_t l = 0; l < loads.size(); ++l) {
      for (std::size_t r = 0; r < runners.size(); ++r) {
        EML_CHECK(sample(*runners[r], loads[l], by, clock, out[r * loads.size() + l].ms));
      }
    }
  }
  return out;
}

Status measure_lines(const std::shared_ptr<const EmbeddingModel>& model, unsigned threads, std::istream& in,
                     std::ostream& out, const Clock& clock) {
  EML_TRY(const auto runner, make_runner(model, threads, clock));
  std::string line;
  while (std::getline(in, line)) {
    EML_TRY(const LineWork work, parse_line(line));
    std::vector<double> ms;
    std::vector<double> cpu;
    TokenizerRunner tokenizer(*model, work.tokenize);
    for (std::size_t i = 0; i < work.repeat; ++i) {
      EML_TRY(const Spent once,
              (work.tokenize.empty() ? *runner : static_cast<Runner&>(tokenizer)).run(work.texts, clock));
      ms.push_back(once.ms);
      cpu.push_back(once.cpu_ms);
    }
    out << compact_json(JsonObject{{"ms", median(ms)}, {"cpu_ms", median(cpu)}}) << std::endl;
  }
  return {};
}

}  // namespace eml
