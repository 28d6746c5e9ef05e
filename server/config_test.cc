#include "server/config.h"

#include <gtest/gtest.h>

namespace eml {
namespace {

const std::string kKey(64, 'a');

std::string minimal(std::string_view extra = "") {
  return "[server]\nlisten = '127.0.0.1:0'\nmode = 'evaluation'\nattester = 'local'\nstate_directory = '/s'\n"
         "issuer = 'i'\n[model]\npackage = '/p'\npublishers = ['" +
         kKey + "']\n[keys]\nbroker = 'http://127.0.0.1:1'\nbroker_key = '" + kKey + "'\n" + std::string(extra);
}

TEST(ServeConfig, ReadsAMinimalFileAndItsDefaults) {
  const auto config = read_serve_config(minimal());
  ASSERT_TRUE(config) << config.error().to_string();
  EXPECT_EQ(config->mode, ServeMode::kEvaluation);
  EXPECT_EQ(config->epoch_s, 1800U);
  EXPECT_EQ(config->limits.handshakes_max, 256U);
  EXPECT_EQ(config->channel.streams, 64U);
}

TEST(ServeConfig, WhatItPrintsItReads) {
  const auto config = read_serve_config(minimal("[limits]\nchannels = 7\n[model.minimum_serials]\n'a/b.c' = 3\n"));
  ASSERT_TRUE(config) << config.error().to_string();
  const auto again = read_serve_config(to_toml(*config));
  ASSERT_TRUE(again) << again.error().to_string();
  EXPECT_EQ(to_toml(*again), to_toml(*config));
  EXPECT_EQ(again->limits.channels_max, 7U);
  EXPECT_EQ(again->minimum_serials.at(0).first, "a/b.c");
}

TEST(ServeConfig, AnOverrideReplacesOneValue) {
  const auto config = read_serve_config(minimal(), {"server.listen=127.0.0.1:9", "limits.streams=3"});
  ASSERT_TRUE(config) << config.error().to_string();
  EXPECT_EQ(config->listen.port, 9);
  EXPECT_EQ(config->channel.streams, 3U);
}

TEST(ServeConfig, AnOverrideOfNoKeyIsAFailure) {
  EXPECT_EQ(read_serve_config(minimal(), {"server.nothing=1"}).error().key, "server.nothing");
  EXPECT_FALSE(read_serve_config(minimal(), {"="}));
  EXPECT_FALSE(read_serve_config(minimal(), {""}));
  EXPECT_FALSE(read_serve_config(minimal(), {"server=1"}));
}

struct BadLine {
  const char* name;
  const char* override_text;
  const char* key;
};

class BadServeConfig : public ::testing::TestWithParam<BadLine> {};

TEST_P(BadServeConfig, IsRefusedAndTheKeyIsNamed) {
  const auto config = read_serve_config(minimal(), {GetParam().override_text});
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().key, GetParam().key) << config.error().to_string();
}

INSTANTIATE_TEST_SUITE_P(Table, BadServeConfig,
                         ::testing::Values(BadLine{"Listen", "server.listen=nonsense", "server.listen"},
                                           BadLine{"MetricsForTheWorld", "server.metrics=0.0.0.0:9", "server.metrics"},
                                           BadLine{"Mode", "server.mode=maybe", "server.mode"},
                                           BadLine{"ModeProductionWithKeyFile", "keys.dek_file=x", "keys"},
                                           BadLine{"OperatorKey", "server.operator_key=abc", "server.operator_key"},
                                           BadLine{"LogLevel", "server.log_level=loud", "server.log_level"},
                                           BadLine{"NoPublisher", "model.publishers=[]", "model.publishers"},
                                           BadLine{"BadPublisher", "model.publishers=['x']", "model.publishers"},
                                           BadLine{"Broker", "keys.broker=ftp://x/", "keys.broker"},
                                           BadLine{"BrokerKey", "keys.broker_key='00'", "keys.broker_key"},
                                           BadLine{"Threads", "server.threads=0", "server.threads"},
                                           BadLine{"EpochTooLong", "epoch.seconds=3601", "epoch.seconds"},
                                           BadLine{"EpochLongerThanEvidence", "epoch.evidence_valid_seconds=10",
                                                   "epoch.seconds"},
                                           BadLine{"Drain", "limits.drain_seconds=31", "limits.drain_seconds"},
                                           BadLine{"StreamsText", "limits.streams='many'", "limits.streams"}),
                         [](const auto& info) { return info.param.name; });

TEST(ServeConfig, EveryListedKeyIsOneThatTheFileMayHave) {
  for (const std::string_view key : serve_config_keys()) {
    const auto config = read_serve_config(minimal(), {std::string(key) + "=1"});
    if (!config) EXPECT_NE(config.error().error.code(), kConfigUnknownKey) << key;
  }
}

TEST(ServeConfig, ProductionTakesNoKeyFromAFile) {
  std::string text = minimal();
  text.replace(text.find("broker = "), text.size(), "dek_file = '/k'\n");
  ASSERT_TRUE(read_serve_config(text));
  EXPECT_EQ(read_serve_config(text, {"server.mode=production"}).error().key, "keys.dek_file");
}

TEST(ServeConfig, ThePublicConfigurationHasNoAddressNoPathAndNoSecret) {
  const auto config = read_serve_config(minimal());
  const auto text = encode_configuration(public_configuration(*config));
  EXPECT_TRUE(decode_configuration(text));
  for (const char* hidden : {"127.0.0.1", "/p", "/s", "http"}) {
    EXPECT_EQ(as_text(text).find(hidden), std::string_view::npos) << hidden;
  }
}

}  // namespace
}  // namespace eml
