// ServeConfig is what the operator tells `serve`: a TOML file, flags on top. docs/OPERATING.md has every key.
//
// What a verifier should know of it goes into the public configuration (public_configuration below), which is bound to
// the evidence; addresses, paths and secrets stay here.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attestation/configuration.h"
#include "base/log.h"
#include "base/result.h"
#include "channel/limits.h"
#include "encoding/config_file.h"
#include "net/endpoint.h"

namespace eml {

// ServeMode is what the operator asks for. Production refuses to start on anything less; evaluation never looks like
// production, whatever the hardware.
enum class ServeMode : std::uint8_t { kProduction, kEvaluation };

// ServerLimits are the bounds around the channels of docs/spec/channel.md, 7.
struct ServerLimits {
  std::uint32_t channels_max = 1024;
  std::uint32_t handshakes_max = 256;  // connections whose channel does not stand yet
  std::uint32_t hellos_per_s = 16;     // per address, or per /64 of IPv6
  std::uint32_t hellos_burst = 64;     // what an address may open at once after a pause
  std::uint64_t request_bytes_total = 1U << 30;
  std::uint32_t queue_requests = 256;  // waiting for the engine, all channels
  std::uint32_t queue_ms = 500;        // how long a request may wait for the engine
  std::uint32_t queue_busy_ms = 25;    // the same, while requests have to be refused
  std::uint32_t drain_s = 30;
};

struct ServeConfig {
  Endpoint listen;
  Endpoint metrics;
  ServeMode mode = ServeMode::kProduction;
  std::string attester;  // kind of evidence: never guessed
  std::string state_directory;
  std::string collateral;  // directory; empty: none

  std::string issuer;
  std::optional<Ed25519PublicKey> operator_key;
  std::vector<Ed25519PublicKey> publishers;
  std::vector<std::pair<std::string, std::uint64_t>> minimum_serials;

  std::string package;  // directory

  std::optional<Url> broker;
  std::optional<Ed25519PublicKey> broker_key;
  std::optional<std::string> dek_file;  // evaluation only

  std::string precision;
  std::string kernels;               // empty: the best that the processor has
  std::uint32_t engine_threads = 0;  // 0: one per core
  std::uint32_t io_threads = 1;

  std::uint32_t epoch_s = 1800;  // a new epoch every so often
  std::uint32_t evidence_valid_s = 3600;

  // Not a key of the file: whoever starts the server gives it, as BundleExpectation::given_root, for evaluation only.
  std::optional<Bytes> given_root;

  LogLevel log_level = LogLevel::kInfo;
  ChannelLimits channel;
  ServerLimits limits;
};

// read_serve_config reads TOML text: closed, every failure names its key and line. Each of `overrides`,
// "server.listen=127.0.0.1:0", replaces what the file says; an override of no key is a failure too.
std::expected<ServeConfig, ConfigFailure> read_serve_config(std::string_view toml,
                                                            const std::vector<std::string>& overrides = {});

// serve_config_keys lists every key that the file may have, for --help and for the test that none of them can turn
// evaluation into production.
std::vector<std::string_view> serve_config_keys();

// to_toml writes the effective configuration, readable by read_serve_config: `serve --print-config`.
std::string to_toml(const ServeConfig& config);

// public_configuration is what evidence is bound to (binding key 6).
PublicConfiguration public_configuration(const ServeConfig& config);

}  // namespace eml
