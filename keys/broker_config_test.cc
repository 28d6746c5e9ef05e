#include "keys/broker_config.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "attestation/policy_tools.h"
#include "base/files.h"
#include "crypto/key_file.h"
#include "keys/testing.h"

namespace eml {
namespace {

std::string example() { return std::string(broker_config_example()); }

std::string replaced(const std::string& from, const std::string& to) {
  std::string text = example();
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST(BrokerConfig, ReadsItsOwnExample) {
  const auto config = read_broker_config(example());
  ASSERT_TRUE(config) << config.error().to_string();
  EXPECT_EQ(config->listen.to_string(), "127.0.0.1:7700");
  EXPECT_EQ(config->issuer, "broker.example");
  EXPECT_EQ(config->releases_per_minute_max, BrokerConfig{}.releases_per_minute_max);
  EXPECT_EQ(config->connections_max, BrokerConfig{}.connections_max);
  EXPECT_EQ(config->request_ms_max, BrokerConfig{}.request_ms_max);
}

TEST(BrokerConfig, HasEveryKeyInItsExample) {
  for (const std::string_view key : broker_config_keys()) {
    const std::string last(key.substr(key.rfind('.') + 1));
    EXPECT_NE(example().find("\n" + last + " = "), std::string::npos) << key;
  }
}

struct BadConfig {
  const char* what;
  std::string text;
  std::string_view code;
  std::string key;
};

TEST(BrokerConfig, NamesTheKeyAndTheLineOfEachFault) {
  const std::string owner(64, '0');
  const std::vector<BadConfig> table{
      {"empty", "", "config-missing", "broker.listen"},
      {"no TOML", "[broker", "config-syntax", ""},
      {"an unknown key", replaced("[limits]\n", "[limits]\nextra = 1\n"), "config-unknown-key", "limits.extra"},
      {"an address without port", replaced("127.0.0.1:7700", "127.0.0.1"), "config-bad-value", "broker.listen"},
      {"a number for a text", replaced("\"broker.example\"", "7"), "config-wrong-type", "broker.issuer"},
      {"an issuer with a blank", replaced("broker.example", "my broker"), "config-bad-value", "broker.issuer"},
      {"an empty path", replaced("\"release.log\"", "\"\""), "config-bad-value", "broker.log_file"},
      {"a key that is none", replaced(owner, "00"), "config-bad-value", "policy.owner"},
      {"a negative serial", replaced("serial_min = 0", "serial_min = -1"), "config-bad-value", "policy.serial_min"},
      {"a limit of zero", replaced("connections = 256", "connections = 0"), "config-bad-value", "limits.connections"},
  };
  for (const BadConfig& bad : table) {
    const auto config = read_broker_config(bad.text);
    ASSERT_FALSE(config) << bad.what;
    EXPECT_EQ(config.error().error.code().name, bad.code) << bad.what << ": " << config.error().to_string();
    EXPECT_EQ(config.error().key, bad.key) << bad.what;
    const bool in_file = bad.code == "config-unknown-key" || bad.code == "config-bad-value";
    if (in_file) EXPECT_GT(config.error().line, 0U) << bad.what;
  }
}

// A broker's files in a fresh directory.
struct Files {
  test::TempDir dir;
  Ed25519Key owner = test::fake_key("owner");
  BrokerConfig config;

  Files() {
    config.issuer = "broker.example";
    config.key_file = path("broker.key");
    config.policy_file = path("policy.json");
    config.policy_owner = owner.public_key();
    config.log_file = path("release.log");
    write(config.key_file, encode_private_key_file(KeyPurpose::kBroker, 0, test::fake_key("broker")));
    const test::FakeTee tee;
    write(config.policy_file, as_bytes(*sign_policy(tee.policy_json(), owner)));
  }
  std::string path(const std::string& name) const { return (dir.path() / name).string(); }
  static void write(const std::string& path, ByteView bytes) { ASSERT_TRUE(write_file(path, bytes)); }
  std::string error() const {
    const auto setup = load_broker(config, OnTorn::kRefuse, 0);
    return setup ? "loaded"
                 : std::string(setup.error().error.code().name) + " " +
                       std::filesystem::path(setup.error().path).filename().string();
  }
};

TEST(BrokerLoad, ReadsKeysPolicyAndLog) {
  const Files files;
  const auto setup = load_broker(files.config, OnTorn::kRefuse, 0);
  ASSERT_TRUE(setup) << setup.error().to_string();
  EXPECT_EQ(setup->signing.public_key(), test::fake_key("broker").public_key());
  EXPECT_EQ(setup->wrapping.size(), 1U);
}

struct BadFile {
  std::string_view error;
  std::function<void(Files&)> change;
};

TEST(BrokerLoad, NamesTheFileThatIsNoGood) {
  const std::vector<BadFile> table{
      {"file-not-found nothing", [](Files& f) { f.config.key_file = f.path("nothing"); }},
      {"key-file-malformed broker.key", [](Files& f) { Files::write(f.config.key_file, as_bytes("x")); }},
      {"key-file-wrong-purpose broker.key",
       [](Files& f) {
         Files::write(f.config.key_file, encode_private_key_file(KeyPurpose::kPublisher, 0, test::fake_key("broker")));
       }},
      {"file-not-found old.key", [](Files& f) { f.config.old_keys = {f.path("old.key")}; }},
      {"file-not-found nothing", [](Files& f) { f.config.policy_file = f.path("nothing"); }},
      {"policy-unsigned policy.json",
       [](Files& f) { f.config.policy_owner = test::fake_key("stranger").public_key(); }},
      {"policy-serial policy.json", [](Files& f) { f.config.policy_serial_min = 99; }},
      {"release-log-torn release.log", [](Files& f) { Files::write(f.config.log_file, as_bytes("x")); }},
      {"release-log-broken release.log", [](Files& f) { Files::write(f.config.log_file, as_bytes("x\n")); }},
  };
  for (const BadFile& bad : table) {
    Files files;
    bad.change(files);
    EXPECT_EQ(files.error(), bad.error);
  }
}

TEST(BrokerLoad, RefusesADirectoryInTheKeysPlace) {
  Files files;
  files.config.key_file = files.dir.path().string();
  EXPECT_EQ(files.error().substr(0, 16), "file-not-regular");
}

TEST(BrokerKeys, OfOneFileAreAlwaysTheSame) {
  const auto a = derive_broker_keys(test::fake_key("broker"));
  const auto b = derive_broker_keys(test::fake_key("broker"));
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->key_id(), b->key_id());
  EXPECT_NE(derive_broker_keys(test::fake_key("other"))->key_id(), a->key_id());
}

}  // namespace
}  // namespace eml
