// serve: the server in the TEE.
#include <cstdlib>

#include "apps/ephemeralml/command.h"
#include "attester/local_attester.h"
#include "base/files.h"
#include "base/log.h"
#include "crypto/init.h"
#include "engine/kernels/kernel_table.h"
#include "net/http.h"
#include "server/server.h"

namespace eml::cli {
namespace {

struct Options {
  std::string config;
  std::vector<std::string> set;
  std::string write_bundle;
  bool print_config = false;
  bool json = false;
};

int fail_boot(const BootFailure& failure) {
  // The operator must see at once that it was a decision, not a fault.
  const int status = complain(failure.where, failure.error);
  if (failure.error.code() == kReleaseRefused) note("The broker refused to release the model's key to this server.");
  if (failure.error.error_class() == ErrorClass::kUnavailable && failure.where.starts_with("broker")) {
    note("Is the broker running, and is keys.broker its address?");
  }
  return status == kDone || failure.error.code() == kTlsFailed ? kFailed : status;
}

void announce(const Options& options, const ServerReady& ready) {
  log(LogLevel::kInfo, "server", "ready",
      {{"server", PublicText::declared_public(ready.server.to_string())},
       {"metrics", PublicText::declared_public(ready.metrics.to_string())},
       {"mode", ready.evaluation ? Literal("evaluation") : Literal("production")}});
  if (!options.json) return;
  JsonObject out;
  out["server"] = ready.server.to_string();
  out["metrics"] = ready.metrics.to_string();
  out["mode"] = ready.evaluation ? "evaluation" : "production";
  print_json(out);
}

void announce_attester(EvidenceKind kind, const ServeConfig& config) {
  if (kind == EvidenceKind::kLocal) return note(kLocalBanner);
  log(LogLevel::kInfo, "attester", "found",
      {{"kind", PublicText::declared_public(to_string(kind))},
       {"asked", PublicText::declared_public(config.attester)}});
}

Status require_locked_memory() {
  const CryptoHeap heap = init_crypto();
  EML_CHECK(require_locked_secrets());
  if (!heap.locked) return fail(kSecretMemoryUnlocked, "the memory for keys could not be locked");
  return {};
}

int write_bundle(const Options& options, const ServeConfig& config, Attester& attester) {
  const BootId boot_id = system_random().array<16>();
  auto bundle = make_release_bundle(
      {.config = config, .attester = attester, .random = system_random(), .clock = system_clock(), .boot_id = boot_id});
  if (!bundle) return fail_boot(bundle.error());
  if (auto written = write_file(options.write_bundle, *bundle); !written) {
    return complain(options.write_bundle, written.error());
  }
  return kDone;
}

int run_config(const Options& options, const ServeConfig& config) {
  set_log_level(config.log_level);
  auto attester = make_attester({.kind = config.attester, .state_directory = config.state_directory}, system_random(),
                                system_clock());
  if (!attester) {
    const bool is_local = config.attester == to_string(EvidenceKind::kLocal);
    return complain(is_local ? "server.state_directory" : "server.attester", attester.error());
  }
  if (config.mode == ServeMode::kProduction) {
    if (auto locked = require_locked_memory(); !locked) return complain("locked memory", locked.error());
  }
  announce_attester((*attester)->kind(), config);
  if (!options.write_bundle.empty()) return write_bundle(options, config, **attester);
  Server server(config, std::move(*attester), system_random(), system_clock());
  auto ready = server.boot();
  if (!ready) return fail_boot(ready.error());
  announce(options, *ready);
  server.run();
  return kDone;
}

int run(const Options& options) {
  auto file = read_file(options.config, kConfigBytesMax);
  if (!file) return complain(options.config, file.error());
  for (const std::string& set : options.set) {
    if (set.find('=') == std::string::npos || set.front() == '=') return complain_usage("--set", "expected KEY=VALUE");
  }
  auto config = read_serve_config(as_text(*file), options.set);
  if (!config) {
    return complain_usage(config.error().overridden ? "--set" : options.config, config.error().to_string());
  }
  std::string_view kernels_from = "engine.kernels";
  const char* kernels = std::getenv("EML_KERNELS");
  if (config->kernels.empty() && kernels != nullptr && *kernels != '\0') {
    config->kernels = kernels;
    kernels_from = "EML_KERNELS";
  }
  // Known now, before a broker is asked for anything.
  if (!config->kernels.empty() && kernels::find(config->kernels) == nullptr) {
    return complain_usage(kernels_from, "this processor or build does not have the kernels asked for");
  }
  if (options.print_config) {
    return write_stdout(to_toml(*config)) ? kDone : complain_usage("standard output", "cannot be written");
  }
  return run_config(options, *config);
}

}  // namespace

void add_serve(CLI::App& app, int& status) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("serve", "Serve a model: prove what runs, get its key, answer with receipts");
  command->add_option("--config", options->config, "TOML file")->required();
  command->add_option("--set", options->set, "Override one key: --set server.listen=127.0.0.1:8443 (repeatable)");
  command->add_flag("--print-config", options->print_config, "Print the effective configuration and exit");
  command->add_option("--write-bundle", options->write_bundle,
                      "Write the evidence that a broker would see of this program, and exit");
  command->add_flag("--json", options->json, "One JSON line when ready");
  std::string keys = "Keys of the configuration:";
  for (const std::string_view key : serve_config_keys()) keys += "\n  " + std::string(key);
  command->footer(keys + "\nExample: ephemeralml serve --config serve.toml");
  command->callback([options, &status] { status = run(*options); });
}

}  // namespace eml::cli
