// BrokerConfig is what the key owner tells `broker`: a TOML file. Source: docs/spec/key_release.md; every key with its
// meaning stands in broker_config_example.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/ed25519.h"
#include "encoding/config_file.h"
#include "keys/broker.h"
#include "net/endpoint.h"

namespace eml {

struct BrokerConfig {
  Endpoint listen;
  std::string issuer;                 // names the broker in its statements: 1 to 128 printable ASCII characters
  std::string key_file;               // signing key and present wrapping key
  std::vector<std::string> old_keys;  // key files whose wrapping keys still open older packages
  std::string policy_file;
  Ed25519PublicKey policy_owner{};  // who may sign the policy
  std::uint64_t policy_serial_min = 0;
  std::string log_file;
  std::uint32_t releases_per_minute_max = 600;
  std::uint32_t connections_max = 256;  // for the socket loop
  std::uint32_t request_ms_max = 5000;  // a request not whole by then is dropped
};

// read_broker_config reads TOML text: closed, every failure names its key and line.
std::expected<BrokerConfig, ConfigFailure> read_broker_config(std::string_view toml);

// broker_config_keys lists every key that the file may have, for --help.
std::vector<std::string_view> broker_config_keys();

// broker_config_example is a file with every key, its default and what it means, for --help and the documentation.
std::string_view broker_config_example();

// BrokerLoadFailure says which file was no good, and why. The path is the operator's own and may be shown.
struct BrokerLoadFailure {
  std::string path;
  Error error;
  std::string to_string() const;  // "policy.json: policy-unsigned: ..."
};

// load_broker reads the key files and the signed policy and opens the log: all that BrokerService::start needs.
std::expected<BrokerSetup, BrokerLoadFailure> load_broker(const BrokerConfig& config, OnTorn on_torn, UnixSeconds now);

}  // namespace eml
