#include "keys/broker_config.h"

#include <algorithm>
#include <utility>

#include "attestation/policy.h"
#include "base/files.h"
#include "base/log.h"

namespace eml {

namespace {

constexpr std::size_t kIssuerMax = 128;
constexpr std::size_t kPolicyBytesMax = 1U << 20;

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kIssuerMax &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

std::string read_name(ConfigFile& file, std::string_view key) {
  std::string text = file.text(key);
  if (!is_name(text)) file.reject(key, kConfigBadValue, "expected 1 to 128 printable ASCII characters without blanks");
  return text;
}

std::string read_path(ConfigFile& file, std::string_view key) {
  std::string text = file.text(key);
  if (text.empty()) file.reject(key, kConfigBadValue, "expected the path of a file");
  return text;
}

Ed25519PublicKey read_key(ConfigFile& file, std::string_view key) {
  const auto bytes = from_hex(file.text(key));
  const auto value = bytes ? to_array<32>(*bytes) : std::nullopt;
  if (!value) file.reject(key, kConfigBadValue, "expected a public key: 64 hex digits");
  return value.value_or(Ed25519PublicKey{});
}

std::uint32_t read_u32(ConfigFile& file, std::string_view key, const IntegerRange& range, std::uint32_t fallback) {
  return static_cast<std::uint32_t>(file.integer(key, range, fallback));
}

void read_broker(ConfigFile& file, BrokerConfig& config) {
  if (const auto endpoint = parse_endpoint(file.text("broker.listen"))) {
    config.listen = *endpoint;
  } else {
    file.reject("broker.listen", kConfigBadValue, "expected HOST:PORT with an IP address");
  }
  config.issuer = read_name(file, "broker.issuer");
  config.key_file = read_path(file, "broker.key_file");
  config.old_keys = file.texts("broker.old_key_files");
  config.log_file = read_path(file, "broker.log_file");
}

void read_policy(ConfigFile& file, BrokerConfig& config) {
  config.policy_file = read_path(file, "policy.file");
  config.policy_owner = read_key(file, "policy.owner");
  // The largest integer that JSON carries exactly, and so the largest serial.
  config.policy_serial_min = file.integer("policy.serial_min", {.min = 0, .max = (std::uint64_t{1} << 53) - 1}, 0);
}

void read_limits(ConfigFile& file, BrokerConfig& config) {
  config.releases_per_minute_max =
      read_u32(file, "limits.releases_per_minute", {.min = 1, .max = 1'000'000}, config.releases_per_minute_max);
  config.connections_max = read_u32(file, "limits.connections", {.min = 1, .max = 65536}, config.connections_max);
  config.request_ms_max = read_u32(file, "limits.request_ms", {.min = 10, .max = 600'000}, config.request_ms_max);
}

std::unexpected<BrokerLoadFailure> failure(const std::string& path, const Error& error) {
  return std::unexpected(BrokerLoadFailure{.path = path, .error = error});
}

std::expected<Policy, BrokerLoadFailure> load_policy(const BrokerConfig& config) {
  const auto json = read_file(config.policy_file, kPolicyBytesMax);
  if (!json) return failure(config.policy_file, json.error());
  auto policy = Policy::decode_signed(*json, config.policy_owner, config.policy_serial_min);
  if (!policy) return failure(config.policy_file, policy.error());
  return *std::move(policy);
}

}  // namespace

std::expected<BrokerConfig, ConfigFailure> read_broker_config(std::string_view toml) {
  ConfigFile file(toml);
  BrokerConfig config;
  read_broker(file, config);
  read_policy(file, config);
  read_limits(file, config);
  if (auto end = file.finish(); !end) return std::unexpected(end.error());
  return config;
}

std::vector<std::string_view> broker_config_keys() {
  return {"broker.listen",    "broker.issuer", "broker.key_file",   "broker.old_key_files",       "broker.log_file",
          "policy.file",      "policy.owner",  "policy.serial_min", "limits.releases_per_minute", "limits.connections",
          "limits.request_ms"};
}

std::string_view broker_config_example() {
  return R"([broker]
listen = "127.0.0.1:7700"        # an IP address and a port; port 0 takes a free one
issuer = "broker.example"        # names this broker in what it signs
key_file = "broker.key"          # keygen --purpose broker
old_key_files = []               # further key files: packages wrapped for these still open
log_file = "release.log"         # every decision, before it is answered

[policy]
file = "policy.json"             # policy sign
owner = "0000000000000000000000000000000000000000000000000000000000000000"  # who may sign it: keygen --purpose policy
serial_min = 0                   # refuse a policy below this serial

[limits]
releases_per_minute = 600        # judged requests; each adds a line to the log
connections = 256
request_ms = 5000                # for a whole request
)";
}

std::string BrokerLoadFailure::to_string() const { return path + ": " + error.to_string(); }

std::expected<BrokerSetup, BrokerLoadFailure> load_broker(const BrokerConfig& config, OnTorn on_torn, UnixSeconds now) {
  auto keys = read_broker_keys(config.key_file);
  if (!keys) return failure(config.key_file, keys.error());
  std::vector<KemKeyPair> wrapping;
  wrapping.push_back(std::move(keys->wrapping));
  for (const std::string& path : config.old_keys) {
    auto old = read_broker_keys(path);
    if (!old) return failure(path, old.error());
    wrapping.push_back(std::move(old->wrapping));
  }
  auto policy = load_policy(config);
  if (!policy) return std::unexpected(std::move(policy.error()));
  auto log = ReleaseLog::open(config.log_file, on_torn, now);
  if (!log) return failure(config.log_file, log.error());
  return BrokerSetup{.issuer = config.issuer,
                     .signing = std::move(keys->signing),
                     .wrapping = std::move(wrapping),
                     .policy = *std::move(policy),
                     .policy_name = std::string(PublicText::declared_public(config.policy_file).view()),
                     .log = *std::move(log),
                     .releases_per_minute_max = config.releases_per_minute_max};
}

}  // namespace eml
