// verify: judges a receipt or a dossier, offline.
#include "apps/ephemeralml/command.h"
#include "apps/ephemeralml/dossier_files.h"
#include "audit/report.h"
#include "audit/verify_dossier.h"
#include "base/clock.h"

namespace eml::cli {
namespace {

struct Options {
  DossierOptions dossier;
  std::string time;
  std::string nonce;
  std::string root;
  bool json = false;
};

int run(const Options& options) {
  DossierFiles files;
  if (auto read = read_dossier_files(options.dossier, files); !read) {
    complain(read.error().where, read.error().error);
    return kFailed;
  }
  if (!options.time.empty()) {
    auto time = parse_rfc3339(options.time);
    if (!time) return complain("--time", time.error());
    files.expectations.time = *time;
  }
  if (!options.nonce.empty()) {
    auto nonce = from_hex(options.nonce);
    if (!nonce) return complain_usage("--nonce", "expected hex digits");
    files.expectations.nonce = std::move(*nonce);
  }
  auto root = read_root(options.root);
  if (!root) {
    complain(options.root, root.error());
    return kFailed;
  }
  files.expectations.given_root = std::move(*root);
  const DossierVerdict verdict = verify_dossier(files.inputs, files.expectations);
  const auto text =
      options.json ? render_json(verdict) : render_text(verdict, colour_wanted() ? Colour::kAnsi : Colour::kNone);
  if (!write_stdout(text)) return complain_usage("standard output", "cannot be written");
  return exit_code(verdict.verdict);
}

}  // namespace

void add_verify(CLI::App& app, int& status) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("verify", "Judge a receipt or a dossier, offline");
  add_dossier_options(*command, options->dossier);
  command->add_option("--nonce", options->nonce, "Nonce that the receipt must carry, in hex");
  command->add_option("--time", options->time, "Judge as of this time instead of now, as 2026-11-25T13:08:00Z");
  add_root(*command, options->root);
  command->add_flag("--json", options->json, "One JSON document");
  command->footer(
      "Exit status: 0 verified, 1 not verified, 2 could not be judged.\n"
      "Example: ephemeralml verify answer.dossier --policy policy.json");
  command->callback([options, &status] { status = run(*options); });
}

}  // namespace eml::cli
