// Our code against the example of docs/spec/channel.md, which pyhpke computed (tests/interop/make_channel_example.py).
#include <gtest/gtest.h>

#include <deque>
#include <set>

#include "channel/handshake.h"
#include "channel/handshake_messages.h"
#include "crypto/hkdf.h"
#include "encoding/json.h"
#include "tests/support/channel_pair.h"
#include "tests/support/shared.h"

namespace eml::test {
namespace {

// ScriptedRandom gives the values that the example fixes, in the order that they are asked for.
class ScriptedRandom final : public Random {
 public:
  explicit ScriptedRandom(std::initializer_list<Bytes> values) : values_(values) {}
  void fill(MutableByteView out) override {
    ASSERT_FALSE(values_.empty());
    ASSERT_EQ(values_.front().size(), out.size());
    std::ranges::copy(values_.front(), out.begin());
    values_.pop_front();
  }

 private:
  std::deque<Bytes> values_;
};

// Example reads the vector; each member must have been used at the end.
class Example {
 public:
  Example() {
    const auto text = read_file(source_dir() / "tests/interop/channel_example.json");
    json_ = *parse_json(as_bytes(text.value()));
    for (const auto& member : json_.as_object()) unread_.insert(std::string(member.key()));
  }
  ~Example() { EXPECT_TRUE(unread_.empty()) << *unread_.begin(); }
  Bytes operator[](std::string_view name) {
    unread_.erase(std::string(name));
    return *from_hex(*json_text(json_.as_object(), name));
  }

 private:
  Json json_;
  std::set<std::string> unread_;
};

Bytes sealed(RecordSealer& sealer, const RecordPart& part) {
  Bytes out(RecordSealer::frame_size(part.payload.size(), part.padding));
  EXPECT_TRUE(sealer.seal(out, part));
  return out;
}

TEST(ChannelExample, IsWhatBothEndsSay) {
  Example example;
  const Ed25519Key channel_key = *Ed25519Key::from_seed(copy_to_secret(example["channel_key_seed"]));
  const Bytes bundle = example["bundle"];
  const Bytes client_hello =
      encode_client_hello({.random = *to_array<32>(example["client_random"]), .kem_ids = {0x0020}});
  EXPECT_EQ(client_hello, example["client_hello"]);

  ServerHandshake server({.bundle = bundle, .channel_key = &channel_key, .owner = {}});
  ScriptedRandom random{example["server_kem_private"], example["server_random"]};
  const auto server_hello = server.on_client_hello(raw_frame(client_hello), random);
  ASSERT_TRUE(server_hello);
  EXPECT_EQ(*server_hello, example["server_hello"]);
  EXPECT_EQ(channel_info(client_hello, *server_hello), example["info"]);

  const ServerHello hello = *decode_server_hello(raw_frame(*server_hello).body);
  KemKeyPair ephemeral = *KemKeyPair::from_private(0x0020, copy_to_secret(example["client_kem_private"]));
  const auto client =
      HpkeSender::setup_with_ephemeral(0x0020, hello.kem_public_key, example["info"], std::move(ephemeral));
  ASSERT_TRUE(client);
  EXPECT_EQ(frame_bytes(3, client->enc()), example["client_finish"]);

  auto keys = server.on_client_finish(raw_frame(example["client_finish"]));
  ASSERT_TRUE(keys);
  EXPECT_TRUE(equal(keys->channel_id, example["channel_id"]));
  const Bytes settings = sealed(keys->sealer, {.kind = RecordKind::kSettings, .payload = encode_settings({})});
  EXPECT_EQ(settings, example["settings"]);
  EXPECT_EQ(sealed(keys->sealer, {.kind = RecordKind::kData, .flags = 1, .stream = 1, .payload = as_bytes("answer")}),
            example["answer"]);

  EXPECT_TRUE(equal(reveal_name(client->export_secret(label("eml s2c v1"), 32)), example["s2c_0"]));
  EXPECT_TRUE(
      equal(reveal_name(hkdf_expand(copy_to_secret(example["c2s_0"]), label("eml next v1"), 32)), example["c2s_1"]));
  RecordSealer asking{KeyChain(client->export_secret(label("eml c2s v1"), 32))};
  EXPECT_EQ(sealed(asking, {.kind = RecordKind::kData, .flags = 1, .stream = 1, .payload = as_bytes("ask")}),
            example["request"]);
  EXPECT_EQ(sealed(asking, {.kind = RecordKind::kClose, .payload = Bytes(2)}), example["close"]);
  RecordSealer later{KeyChain::for_test(copy_to_secret(example["c2s_1"]), kRecordsPerKey)};
  EXPECT_EQ(sealed(later, {.kind = RecordKind::kPing, .payload = as_bytes("8 bytes.")}), example["record_65536"]);
}

}  // namespace
}  // namespace eml::test
