// embed: JSON lines in, JSON lines out, no server.
#include <fstream>
#include <iostream>

#include "apps/ephemeralml/command.h"
#include "apps/ephemeralml/kernels_option.h"
#include "engine/embed_lines.h"
#include "engine/model_dir.h"

namespace eml::cli {
namespace {

struct Options {
  std::string model;
  std::string precision{default_precision()};
  unsigned threads = 1;
  std::size_t batch = 32;
  bool ids = false;
};

int run(const Options& options) {
  const std::string kernels = forced_kernels();
  if (const int refused = expect_kernels("EML_KERNELS", kernels); refused != kDone) return refused;
  std::string where;
  auto model = load_model_directory(options.model, {.precision = options.precision, .kernels = kernels}, &where);
  if (!model) {
    if (model.error().code() == kKernelsUnavailable) where = "EML_KERNELS";
    if (model.error().code() == kPrecisionUnknown) where = "--precision";
    return complain(where, model.error());
  }
  std::ios::sync_with_stdio(false);
  auto done = embed_lines(**model, std::cin, std::cout,
                          {.threads = options.threads, .batch = options.batch, .ids_only = options.ids});
  std::cout.flush();
  if (!done) return complain(done.error().code() == kEmbedWrite ? "standard output" : "standard input", done.error());
  if (!std::cout) return complain_usage("standard output", "cannot be written");
  return kDone;
}

}  // namespace

void add_embed(CLI::App& app, int& status) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("embed", "Embed {\"text\":...} lines with a model directory, without a server");
  command->add_option("--model", options->model, "Directory of a model in clear (model pull)")->required();
  command->add_option("--precision", options->precision, "Numerics profile: fp32, bf16 or int8")->capture_default_str();
  command->add_option("--threads", options->threads, "Threads")->check(CLI::Range(1, 256))->capture_default_str();
  command->add_option("--batch", options->batch, "Texts in one pass at most; the result does not depend on it")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command->add_flag("--ids", options->ids, "Token ids alone, without computing an embedding");
  command->footer("Example: echo '{\"text\":\"hello\"}' | ephemeralml embed --model models/all-minilm-l6-v2");
  command->callback([options, &status] { status = run(*options); });
}

}  // namespace eml::cli
