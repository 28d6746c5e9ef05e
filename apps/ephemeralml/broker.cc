// broker: releases model keys to attested servers.
#include "keys/broker.h"

#include <csignal>

#include "apps/ephemeralml/command.h"
#include "apps/ephemeralml/signals.h"
#include "base/files.h"
#include "base/log.h"
#include "crypto/init.h"
#include "keys/broker_config.h"
#include "net/http_server.h"

namespace eml::cli {
namespace {

struct Options {
  std::string config;
  std::string root;
  bool accept_torn_log = false;
  bool example = false;
  bool verify_log = false;
  bool json = false;
};

int verify_log_file(const std::string& path) {
  auto file = MappedFile::open(path, kReleaseLogBytesMax);
  if (!file) return complain(path, file.error());
  auto report = verify_log(file->bytes());
  if (!report) return complain(path, report.error());
  say(std::to_string(report->records) + " records, chain intact");
  if (report->torn_bytes == 0) return kDone;
  say("the last line is torn: " + std::to_string(report->torn_bytes) + " bytes behind the last whole record");
  return kNotAcceptable;
}

void log_decision(const BrokerService& broker) {
  const auto& decision = broker.last_decision();
  if (!decision) return;
  log(LogLevel::kInfo, "broker", decision->released ? Literal("released") : Literal("refused"),
      {{"rule", PublicText::declared_public(decision->rule)},
       {"detail", PublicText::declared_public(decision->detail)}});
}

void announce(const Options& options, const Endpoint& endpoint, const BrokerService& broker) {
  if (!options.json) {
    note("broker ready on " + endpoint.to_string());
    return;
  }
  JsonObject out;
  out["listen"] = endpoint.to_string();
  out["broker_key"] = hex(broker.public_key());
  print_json(out);
}

int serve(const Options& options, const BrokerConfig& config, BrokerSetup setup) {
  auto broker = BrokerService::start(std::move(setup), system_clock(), system_random());
  if (!broker) return complain(config.policy_file, broker.error());
  boost::asio::io_context context(1);
  boost::asio::signal_set signals(context);
  auto server = HttpServer::listen(context, config.listen,
                                   [&broker = **broker](const HttpCall& call) {
                                     HttpReply reply = broker.handle(call);
                                     log_decision(broker);
                                     return reply;
                                   },
                                   {.connections_max = config.connections_max,
                                    .body_bytes_max = kReleaseRequestMax,
                                    .request = std::chrono::milliseconds(config.request_ms_max)});
  if (!server) return complain(config.listen.to_string(), server.error());
  stop_on_signals(signals, context);  // before anybody hears that it is ready, and may stop it
  announce(options, (*server)->local_endpoint(), **broker);
  context.run();
  (*server)->stop();
  return kDone;
}

int run(const Options& options) {
  if (options.example) {
    return write_stdout(broker_config_example()) ? kDone : complain_usage("standard output", "cannot be written");
  }
  auto text = read_file(options.config, kConfigBytesMax);
  if (!text) return complain(options.config, text.error());
  auto config = read_broker_config(as_text(*text));
  if (!config) return complain_usage(options.config, config.error().to_string());
  if (options.verify_log) return verify_log_file(config->log_file);
  init_crypto();
  const OnTorn on_torn = options.accept_torn_log ? OnTorn::kContinue : OnTorn::kRefuse;
  auto setup = load_broker(*config, on_torn, system_clock().now());
  if (!setup) {
    complain(setup.error().path, setup.error().error);
    if (setup.error().error.code() == kReleaseLogTorn) {
      note(
          "The last record was cut while it was written. Look at it; --accept-torn-log records it as torn and goes "
          "on.");
    }
    return kFailed;
  }
  auto root = read_root(options.root);
  if (!root) return complain(options.root, root.error());
  setup->given_root = std::move(*root);
  return serve(options, *config, std::move(*setup));
}

}  // namespace

void add_broker(CLI::App& app, int& status) {
  auto options = std::make_shared<Options>();
  auto* command =
      app.add_subcommand("broker", "Release model keys to servers whose evidence satisfies a signed policy");
  auto* config = command->add_option("--config", options->config, "TOML file");
  command->add_flag("--accept-torn-log", options->accept_torn_log, "Go on behind a torn last record, which is kept");
  command->add_flag("--verify-log", options->verify_log, "Check the log's chain and exit");
  add_root(*command, options->root);
  command->add_flag("--json", options->json, "One JSON line when ready");
  auto* example = command->add_flag("--print-example", options->example, "Print a configuration with every key");
  config->excludes(example);
  command->footer("Example: ephemeralml broker --config broker.toml");
  command->callback([options, config, example, &status] {
    if (config->count() == 0 && example->count() == 0) throw CLI::RequiredError("--config");
    status = run(*options);
  });
}

}  // namespace eml::cli
