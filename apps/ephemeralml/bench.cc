// bench engine: how fast the engine is here, and how far from what the processor can do.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <set>
#include <thread>

#include "apps/ephemeralml/command.h"
#include "base/cpu.h"
#include "engine/measure.h"
#include "engine/model_dir.h"

namespace eml::cli {
namespace {

constexpr std::string_view kProfiles[] = {"fp32", "bf16", "int8"};

struct Options {
  std::string model;
  std::string kernels;
  std::vector<std::string> precisions;
  std::vector<unsigned> threads;
  std::size_t rounds = 5;
  bool processor_time = false;
  bool json = false;
  bool lines = false;
};

using Models = std::vector<std::shared_ptr<const EmbeddingModel>>;

// Every profile that this program and the forced kernels have, or those asked for.
std::expected<Models, int> load_models(const Options& options) {
  Models out;
  std::vector<std::string> wanted = options.precisions;
  if (wanted.empty()) wanted.assign(std::begin(kProfiles), std::end(kProfiles));
  for (const std::string& precision : wanted) {
    std::string where;
    auto model = load_model_directory(options.model, {.precision = precision, .kernels = options.kernels}, &where);
    const bool unknown = !model && model.error().code() == kPrecisionUnknown;
    if (unknown && options.precisions.empty()) continue;
    if (!model && model.error().code() == kKernelsUnavailable) where = "--kernels";
    if (unknown) where = "--precision";
    if (!model) return std::unexpected(complain(where, model.error()));
    out.push_back(std::move(*model));
  }
  return out;
}

bool is_latency(const MeasureLoad& load) { return load.texts.size() == 1; }

double rounded(double value, double scale) { return std::round(value * scale) / scale; }

JsonObject as_json(const std::vector<Measured>& all, std::string_view isa, double peak) {
  JsonArray latency;
  JsonArray throughput;
  for (const Measured& m : all) {
    JsonObject row{{"engine", "ephemeralml"}, {"profile", m.profile}, {"threads", m.threads}};
    if (is_latency(*m.load)) {
      row["s"] = m.load->tokens();
      row["ms"] = rounded(m.median_ms(), 1e4);
      latency.emplace_back(std::move(row));
    } else {
      row["mix"] = m.load->name;
      row["tokens_per_s"] = rounded(static_cast<double>(m.load->tokens()) * 1e3 / m.median_ms(), 10);
      throughput.emplace_back(std::move(row));
    }
  }
  Json reached = nullptr;
  if (peak > 0) reached = rounded(peak, 10);
  return {{"machine", cpu_model()},
          {"isa", isa},
          {"peak_gflops", reached},
          {"latency", std::move(latency)},
          {"throughput", std::move(throughput)}};
}

// The peak of each profile's own multiplication, on one core.
using Peaks = std::map<std::string_view, double>;

Peaks measure_peaks(const Models& models) {
  Peaks out;
  for (const auto& model : models) {
    out[model->numerics()] = peak_gflops(model->encoder().profile().peak, system_clock());
  }
  return out;
}

void print_tables(const std::vector<Measured>& all, const ModelConfig& config, std::string_view isa,
                  const Peaks& peaks) {
  std::string reached;
  for (const auto& [numerics, peak] : peaks) {
    const std::string value = peak > 0 ? fmt::format("{:.1f}", peak) : "not measured";
    reached += fmt::format("{} {} {}", reached.empty() ? "" : ",", numerics, value);
  }
  say(fmt::format("{}, kernels {}; 10^9 operations/s that one core reaches at most:{}", cpu_model(), isa, reached));
  say("profile  threads  load      ms        tokens/s  GFLOP/s  of the peak");
  for (const Measured& m : all) {
    const double ms = m.median_ms();
    const double gflops = work_flop(config, *m.load) / ms / 1e6;
    const double peak = peaks.at(m.profile);
    const std::string part = peak > 0 ? fmt::format("{:.2f}", gflops / peak / m.threads) : "-";
    say(fmt::format("{:<8} {:<8} {:<8} {:>8.3f} {:>13.0f} {:>8.1f}  {}", m.profile, m.threads, m.load->name, ms,
                    static_cast<double>(m.load->tokens()) * 1e3 / ms, gflops, part));
  }
}

int run_lines(const Models& models, const Options& options) {
  if (models.size() != 1 || options.threads.size() != 1) {
    return complain_usage("--lines", "needs one --precision and one --threads");
  }
  const auto done = measure_lines(models.front(), options.threads.front(), std::cin, std::cout, system_clock());
  return done ? kDone : complain("standard input", done.error());
}

int run(Options options) {
  const char* forced = std::getenv("EML_KERNELS");
  if (options.kernels.empty() && forced != nullptr) options.kernels = forced;
  if (options.threads.empty()) options.threads = {1, std::max(1U, std::thread::hardware_concurrency())};
  const std::set<unsigned> once(options.threads.begin(), options.threads.end());
  options.threads.assign(once.begin(), once.end());
  auto models = load_models(options);
  if (!models) return models.error();
  if (options.lines) return run_lines(*models, options);
  const EmbeddingModel& first = *models->front();
  const auto loads = measure_loads(first);
  if (!loads) return complain(options.model, loads.error());
  // Tiles have no fp32 arithmetic of their own: beside them the vector units are the yardstick.
  const kernels::KernelTable* table = kernels::find(first.kernels());
  const double peak = peak_gflops((table == nullptr ? *kernels::available().front() : *table).peak, system_clock());
  const auto all = measure_all(*models, *loads, options.threads, options.rounds,
                               options.processor_time ? MeasureBy::kProcessor : MeasureBy::kElapsed, system_clock());
  if (!all) return complain(options.model, all.error());
  if (options.json) {
    print_json(as_json(*all, first.kernels(), peak));
  } else {
    print_tables(*all, first.config(), first.kernels(), measure_peaks(*models));
  }
  return stdout_failed() ? complain_usage("standard output", "cannot be written") : kDone;
}

}  // namespace

void add_bench(CLI::App& app, int& status) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("bench", "Measure this machine");
  command->require_subcommand(1);
  auto* engine = command->add_subcommand("engine", "Latency and throughput of the engine, beside the processor's peak");
  engine->add_option("--model", options->model, "Directory of a model in clear (model pull)")->required();
  engine->add_option("--kernels", options->kernels, "Instruction set; default: EML_KERNELS, else the best one");
  engine->add_option("--precision", options->precisions, "Numerics profiles; default: all")->delimiter(',');
  engine->add_option("--threads", options->threads, "Numbers of threads; default: 1 and all cores")
      ->delimiter(',')
      ->check(CLI::Range(1, 256));
  engine->add_option("--rounds", options->rounds, "Times that everything is run, interleaved; medians are shown")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  engine->add_flag("--cpu-time", options->processor_time,
                   "Processor time instead of elapsed: for one thread on a machine that others use");
  engine->add_flag("--json", options->json, "One JSON document on stdout");
  engine->add_flag("--lines", options->lines,
                   "Measure what {\"texts\":[[id,...],...],\"repeat\":n} lines on stdin say");
  engine->footer("Example: ephemeralml bench engine --model models/all-minilm-l6-v2 --rounds 9");
  engine->callback([options, &status] { status = run(*options); });
}

}  // namespace eml::cli
