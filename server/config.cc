#include "server/config.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "encoding/json.h"
#include "engine/embedding_model.h"
#include "engine/kernels/profile.h"

namespace eml {
namespace {

constexpr std::uint32_t kThreadsMax = 256;

std::optional<Ed25519PublicKey> key_of_hex(std::string_view text) {
  const auto bytes = from_hex(text);
  return bytes ? to_array<32>(*bytes) : std::nullopt;
}

Endpoint read_endpoint(ConfigFile& file, std::string_view key, const std::optional<std::string>& fallback) {
  const auto endpoint = parse_endpoint(file.text(key, fallback));
  if (endpoint) return *endpoint;
  file.reject(key, kConfigBadValue, "expected HOST:PORT with an IP address");
  return {};
}

bool is_loopback(const Endpoint& endpoint) {
  return endpoint.host.starts_with("127.") || endpoint.host == "::1" || endpoint.host == "localhost";
}

std::optional<Ed25519PublicKey> read_key(ConfigFile& file, std::string_view key) {
  if (!file.has(key)) return std::nullopt;
  const auto value = key_of_hex(file.text(key));
  if (!value) file.reject(key, kConfigBadValue, "expected a public key: 64 hex digits");
  return value;
}

std::uint32_t read_u32(ConfigFile& file, std::string_view key, const IntegerRange& range, std::uint32_t fallback) {
  return static_cast<std::uint32_t>(file.integer(key, range, fallback));
}

void read_server(ConfigFile& file, ServeConfig& config) {
  config.listen = read_endpoint(file, "server.listen", std::nullopt);
  config.metrics = read_endpoint(file, "server.metrics", "127.0.0.1:0");
  if (!is_loopback(config.metrics)) {
    file.reject("server.metrics", kConfigBadValue,
                "health and metrics are for this machine alone: expected 127.0.0.1 or [::1]");
  }
  const std::string mode = file.text("server.mode");
  if (mode == "evaluation") {
    config.mode = ServeMode::kEvaluation;
  } else if (mode != "production") {
    file.reject("server.mode", kConfigBadValue, "expected production or evaluation");
  }
  config.attester = file.text("server.attester");
  config.state_directory = file.text("server.state_directory");
  config.collateral = file.text("server.collateral", "");
  config.issuer = file.text("server.issuer");
  config.operator_key = read_key(file, "server.operator_key");
  config.io_threads = read_u32(file, "server.threads", {.min = 1, .max = kThreadsMax}, config.io_threads);
  if (const auto level = parse_log_level(file.text("server.log_level", "info"))) {
    config.log_level = *level;
  } else {
    file.reject("server.log_level", kConfigBadValue, "expected error, warning, info or debug");
  }
}

void read_model(ConfigFile& file, ServeConfig& config) {
  config.package = file.text("model.package");
  for (const std::string& text : file.texts("model.publishers")) {
    if (const auto key = key_of_hex(text)) {
      config.publishers.push_back(*key);
    } else {
      file.reject("model.publishers", kConfigBadValue, "expected public keys: 64 hex digits each");
    }
  }
  if (config.publishers.empty()) {
    file.reject("model.publishers", kConfigMissing, "name at least one publisher whose models may run");
  }
  config.minimum_serials = file.integers("model.minimum_serials");
}

void read_keys(ConfigFile& file, ServeConfig& config) {
  if (file.has("keys.broker")) {
    const auto url = parse_url(file.text("keys.broker"));
    if (url) {
      config.broker = *url;
    } else {
      file.reject("keys.broker", kConfigBadValue, "expected http://HOST:PORT or https://HOST:PORT");
    }
    config.broker_key = read_key(file, "keys.broker_key");
    if (!config.broker_key) file.reject("keys.broker_key", kConfigMissing, "the broker's key must be pinned");
  }
  if (file.has("keys.dek_file")) config.dek_file = file.text("keys.dek_file");
  if (config.broker.has_value() == config.dek_file.has_value()) {
    file.reject("keys", kConfigBadValue, "expected either keys.broker or keys.dek_file");
  }
  if (config.dek_file && config.mode == ServeMode::kProduction) {
    file.reject("keys.dek_file", kConfigBadValue, "a key from a file is for evaluation only");
  }
}

void read_engine(ConfigFile& file, ServeConfig& config) {
  config.precision = file.text("engine.precision", std::string(default_precision()));
  const auto known = kernels::numerics_profiles();
  if (std::find(known.begin(), known.end(), config.precision) == known.end()) {
    file.reject("engine.precision", kConfigBadValue, "expected fp32, bf16 or int8");
  }
  config.kernels = file.text("engine.kernels", "");
  config.engine_threads = read_u32(file, "engine.threads", {.min = 0, .max = kThreadsMax}, 0);
  config.epoch_s = read_u32(file, "epoch.seconds", {.min = 1, .max = 3600}, config.epoch_s);
  config.evidence_valid_s =
      read_u32(file, "epoch.evidence_valid_seconds", {.min = 2, .max = 3600}, config.evidence_valid_s);
  if (config.epoch_s > config.evidence_valid_s) {
    file.reject("epoch.seconds", kConfigBadValue, "an epoch must be renewed before its evidence ends");
  }
}

void read_limits(ConfigFile& file, ServeConfig& config) {
  ServerLimits& limits = config.limits;
  ChannelLimits& channel = config.channel;
  limits.channels_max = read_u32(file, "limits.channels", {.min = 1, .max = 65536}, limits.channels_max);
  limits.handshakes_max = read_u32(file, "limits.handshakes", {.min = 1, .max = 65536}, limits.handshakes_max);
  limits.hellos_per_s = read_u32(file, "limits.hellos_per_second", {.min = 1, .max = 1'000'000}, limits.hellos_per_s);
  limits.hellos_burst = read_u32(file, "limits.hellos_burst", {.min = 1, .max = 1'000'000}, limits.hellos_burst);
  limits.request_bytes_total = file.integer(
      "limits.request_bytes_total", {.min = 1U << 20, .max = std::uint64_t{1} << 40}, limits.request_bytes_total);
  limits.queue_requests = read_u32(file, "limits.queue_requests", {.min = 1, .max = 65536}, limits.queue_requests);
  limits.queue_ms = read_u32(file, "limits.queue_ms", {.min = 1, .max = 60'000}, limits.queue_ms);
  limits.queue_busy_ms = read_u32(file, "limits.queue_busy_ms", {.min = 1, .max = 60'000}, limits.queue_busy_ms);
  limits.drain_s = read_u32(file, "limits.drain_seconds", {.min = 1, .max = 30}, limits.drain_s);
  channel.streams = read_u32(file, "limits.streams", {.min = 1, .max = 1024}, channel.streams);
  channel.request_bytes_max =
      file.integer("limits.request_bytes", {.min = 1024, .max = 64U << 20}, channel.request_bytes_max);
  channel.handshake_ms_max =
      read_u32(file, "limits.handshake_ms", {.min = 10, .max = 60'000}, channel.handshake_ms_max);
  channel.idle_ms = read_u32(file, "limits.idle_ms", {.min = 10, .max = 3'600'000}, channel.idle_ms);
  channel.stall_ms_max = read_u32(file, "limits.stall_ms", {.min = 10, .max = 600'000}, channel.stall_ms_max);
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string_view level_name(LogLevel level) {
  switch (level) {
    case LogLevel::kError:
      return "error";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kDebug:
      return "debug";
  }
  return "info";
}

std::string url_text(const Url& url) {
  return fmt::format("{}://{}{}", url.tls ? "https" : "http", url.endpoint.to_string(),
                     url.target == "/" ? "" : url.target);
}

}  // namespace

std::expected<ServeConfig, ConfigFailure> read_serve_config(std::string_view toml,
                                                            const std::vector<std::string>& overrides) {
  ConfigFile file(toml);
  for (const std::string& text : overrides) {
    const std::size_t equals = text.find('=');
    file.override_value(text.substr(0, equals), equals == std::string::npos ? "" : text.substr(equals + 1));
  }
  ServeConfig config;
  read_server(file, config);
  read_model(file, config);
  read_keys(file, config);
  read_engine(file, config);
  read_limits(file, config);
  if (auto end = file.finish(); !end) return std::unexpected(end.error());
  return config;
}

std::vector<std::string_view> serve_config_keys() {
  return {"server.listen",
          "server.metrics",
          "server.mode",
          "server.attester",
          "server.state_directory",
          "server.collateral",
          "server.issuer",
          "server.operator_key",
          "server.threads",
          "server.log_level",
          "model.package",
          "model.publishers",
          "model.minimum_serials",
          "keys.broker",
          "keys.broker_key",
          "keys.dek_file",
          "engine.precision",
          "engine.kernels",
          "engine.threads",
          "epoch.seconds",
          "epoch.evidence_valid_seconds",
          "limits.channels",
          "limits.handshakes",
          "limits.hellos_per_second",
          "limits.hellos_burst",
          "limits.request_bytes_total",
          "limits.queue_requests",
          "limits.queue_ms",
          "limits.queue_busy_ms",
          "limits.drain_seconds",
          "limits.streams",
          "limits.request_bytes",
          "limits.handshake_ms",
          "limits.idle_ms",
          "limits.stall_ms"};
}

std::string to_toml(const ServeConfig& config) {
  std::string out;
  auto line = [&out](std::string_view key, std::string_view value) { out += fmt::format("{} = {}\n", key, value); };
  out += "[server]\n";
  line("listen", quoted(config.listen.to_string()));
  line("metrics", quoted(config.metrics.to_string()));
  line("mode", config.mode == ServeMode::kProduction ? "\"production\"" : "\"evaluation\"");
  line("attester", quoted(config.attester));
  line("state_directory", quoted(config.state_directory));
  if (!config.collateral.empty()) line("collateral", quoted(config.collateral));
  line("issuer", quoted(config.issuer));
  if (config.operator_key) line("operator_key", quoted(hex(*config.operator_key)));
  line("threads", fmt::to_string(config.io_threads));
  line("log_level", quoted(level_name(config.log_level)));
  out += "\n[model]\n";
  line("package", quoted(config.package));
  std::string publishers;
  for (const auto& key : config.publishers) publishers += (publishers.empty() ? "" : ", ") + quoted(hex(key));
  line("publishers", "[" + publishers + "]");
  std::string serials;
  for (const auto& [id, serial] : config.minimum_serials) {
    serials += fmt::format("{}{} = {}", serials.empty() ? "" : ", ", quoted(id), serial);
  }
  line("minimum_serials", "{ " + serials + " }");
  out += "\n[keys]\n";
  if (config.broker) line("broker", quoted(url_text(*config.broker)));
  if (config.broker_key) line("broker_key", quoted(hex(*config.broker_key)));
  if (config.dek_file) line("dek_file", quoted(*config.dek_file));
  out += "\n[engine]\n";
  line("precision", quoted(config.precision));
  line("kernels", quoted(config.kernels));
  line("threads", fmt::to_string(config.engine_threads));
  out += "\n[epoch]\n";
  line("seconds", fmt::to_string(config.epoch_s));
  line("evidence_valid_seconds", fmt::to_string(config.evidence_valid_s));
  out += "\n[limits]\n";
  line("channels", fmt::to_string(config.limits.channels_max));
  line("handshakes", fmt::to_string(config.limits.handshakes_max));
  line("hellos_per_second", fmt::to_string(config.limits.hellos_per_s));
  line("hellos_burst", fmt::to_string(config.limits.hellos_burst));
  line("request_bytes_total", fmt::to_string(config.limits.request_bytes_total));
  line("queue_requests", fmt::to_string(config.limits.queue_requests));
  line("queue_ms", fmt::to_string(config.limits.queue_ms));
  line("queue_busy_ms", fmt::to_string(config.limits.queue_busy_ms));
  line("drain_seconds", fmt::to_string(config.limits.drain_s));
  line("streams", fmt::to_string(config.channel.streams));
  line("request_bytes", fmt::to_string(config.channel.request_bytes_max));
  line("handshake_ms", fmt::to_string(config.channel.handshake_ms_max));
  line("idle_ms", fmt::to_string(config.channel.idle_ms));
  line("stall_ms", fmt::to_string(config.channel.stall_ms_max));
  return out;
}

PublicConfiguration public_configuration(const ServeConfig& config) {
  JsonObject limits;
  limits["channels"] = config.limits.channels_max;
  limits["queue_requests"] = config.limits.queue_requests;
  limits["queue_ms"] = config.limits.queue_ms;
  limits["queue_busy_ms"] = config.limits.queue_busy_ms;
  limits["request_bytes"] = config.channel.request_bytes_max;
  limits["streams"] = config.channel.streams;
  return {.issuer = config.issuer,
          .operator_key = config.operator_key,
          .publishers = config.publishers,
          .minimum_serials = config.minimum_serials,
          .numerics = config.precision,
          .log_level = std::string(level_name(config.log_level)),
          .limits = to_bytes(canonical_json(Json(std::move(limits))))};
}

}  // namespace eml
