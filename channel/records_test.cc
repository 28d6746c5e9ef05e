#include "channel/records.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "crypto/hkdf.h"
#include "encoding/padme.h"
#include "tests/support/channel_pair.h"

namespace eml::test {
namespace {

SecretBytes secret(std::string_view seed) { return copy_to_secret(sha256(as_bytes(seed))); }

Bytes seal(RecordSealer& sealer, const RecordPart& part) {
  Bytes out(RecordSealer::frame_size(part.payload.size(), part.padding));
  EXPECT_TRUE(sealer.seal(out, part));
  return out;
}

Result<RecordPart> open(RecordOpener& opener, ByteView wire, Bytes& plain) {
  plain.assign(wire.size() - kFrameHeaderSize - kAeadTagSize, 0xee);
  EML_TRY(const RecordView view, opener.open(plain, raw_frame(wire)));
  return RecordPart{.kind = view.kind, .flags = view.flags, .stream = view.stream, .payload = view.payload};
}

// seal_plain seals any plaintext as the record of `chain`'s next number.
Bytes seal_plain(KeyChain& chain, ByteView plaintext) {
  const FrameHeader header = frame_header(FrameType::kRecord, plaintext.size() + kAeadTagSize);
  Bytes out = concat(header, plaintext, Bytes(kAeadTagSize));
  const KeyChain::Use use = *chain.use();
  use.key->seal(MutableByteView(out).subspan(kFrameHeaderSize), use.sequence, header, plaintext);
  return out;
}

TEST(Records, OpenAsTheyWereSealed) {
  RecordSealer sealer{KeyChain(secret("a"))};
  RecordOpener opener{KeyChain(secret("a"))};
  for (const std::size_t size : {0UL, 1UL, 245UL, 246UL, 247UL, 1000UL, kDataPayloadMax, kRecordPayloadMax}) {
    const Bytes payload(size, 0x5a);
    const Bytes wire = seal(sealer, {.kind = RecordKind::kData, .flags = 1, .stream = 77, .payload = payload});
    Bytes plain;
    const auto record = open(opener, wire, plain);
    ASSERT_TRUE(record) << size;
    EXPECT_EQ(record->kind, RecordKind::kData);
    EXPECT_EQ(record->flags, 1);
    EXPECT_EQ(record->stream, 77U);
    EXPECT_TRUE(equal(record->payload, payload));
  }
}

TEST(Records, OpenInPlace) {
  RecordSealer sealer{KeyChain(secret("a"))};
  RecordOpener opener{KeyChain(secret("a"))};
  Bytes wire = seal(sealer, {.kind = RecordKind::kPing, .payload = Bytes(8, 1)});
  const MutableByteView place =
      MutableByteView(wire).subspan(kFrameHeaderSize, wire.size() - kFrameHeaderSize - kAeadTagSize);
  const auto record = opener.open(place, raw_frame(wire));
  ASSERT_TRUE(record);
  EXPECT_TRUE(equal(record->payload, Bytes(8, 1)));
}

TEST(Records, ArePaddedAsTheSpecificationSays) {
  EXPECT_EQ(padded_size(0, Padding::kPadme), 256U);
  EXPECT_EQ(padded_size(246, Padding::kPadme), 256U);
  EXPECT_EQ(padded_size(247, Padding::kPadme), 272U);
  EXPECT_EQ(padded_size(990, Padding::kPadme), 1024U);
  EXPECT_EQ(padded_size(kDataPayloadMax, Padding::kPadme), 16384U);
  EXPECT_EQ(padded_size(kRecordPayloadMax, Padding::kPadme), 65536U);
  EXPECT_EQ(padded_size(0, Padding::kStreamed), 512U);
  EXPECT_EQ(padded_size(502, Padding::kStreamed), 512U);
  EXPECT_EQ(padded_size(503, Padding::kStreamed), 1024U);
  EXPECT_EQ(padded_size(kRecordPayloadMax, Padding::kStreamed), 65536U);
}

RC_GTEST_PROP(Records, NeverPadBelowThePayloadNorAboveTheLargestRecord, ()) {
  const std::size_t payload = *rc::gen::inRange<std::size_t>(0, kRecordPayloadMax + 1);
  for (const Padding padding : {Padding::kPadme, Padding::kStreamed}) {
    const std::size_t size = padded_size(payload, padding);
    RC_ASSERT(size >= payload + kRecordHeaderSize);
    RC_ASSERT(size >= kRecordPlaintextMin && size <= kRecordPlaintextMax);
  }
}

TEST(Records, RefuseAPayloadThatIsTooLarge) {
  RecordSealer sealer{KeyChain(secret("a"))};
  const Bytes payload(kRecordPayloadMax + 1);
  Bytes out(80000);
  const Status status = sealer.seal(out, {.kind = RecordKind::kData, .payload = payload});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), kRecordMalformed);
  EXPECT_EQ(sealer.sequence(), 0U);
}

TEST(Records, DoNotOpenWithAnyBitFlipped) {
  RecordSealer sealer{KeyChain(secret("a"))};
  const Bytes wire = seal(sealer, {.kind = RecordKind::kData, .stream = 1, .payload = as_bytes("text")});
  for (std::size_t at = 0; at < wire.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      Bytes bad = wire;
      bad[at] ^= static_cast<std::uint8_t>(1 << bit);
      RecordOpener opener{KeyChain(secret("a"))};
      Bytes plain(256);
      Frame frame = raw_frame(bad);
      frame.type = FrameType::kRecord;
      const auto record = opener.open(plain, frame);
      ASSERT_FALSE(record) << at;
      EXPECT_EQ(record.error().code(), kRecordUnauthentic);
      EXPECT_EQ(plain, Bytes(256)) << "nothing of an unauthentic record is left";
      EXPECT_FALSE(opener.open(plain, raw_frame(wire))) << "nothing opens after that";
    }
  }
}

TEST(Records, DoNotGoOnAfterOneThatDidNotOpenOrWasMalformed) {
  RecordSealer sealer{KeyChain(secret("a"))};
  Bytes bad = seal(sealer, {.kind = RecordKind::kData, .stream = 1, .payload = as_bytes("x")});
  const Bytes next = seal(sealer, {.kind = RecordKind::kData, .stream = 1, .payload = as_bytes("y")});
  bad.back() ^= 1;
  RecordOpener opener{KeyChain(secret("a"))};
  Bytes plain;
  EXPECT_FALSE(open(opener, bad, plain));
  EXPECT_FALSE(open(opener, next, plain)) << "its number would be the right one";

  KeyChain chain(secret("a"));
  const Bytes malformed = seal_plain(chain, Bytes(256));
  RecordOpener second{KeyChain(secret("a"))};
  EXPECT_FALSE(open(second, malformed, plain));
  EXPECT_FALSE(open(second, next, plain));
}

TEST(Records, OpenOnlyInTheirOrder) {
  const auto fails = [](std::initializer_list<std::size_t> order) {
    RecordSealer sealer{KeyChain(secret("a"))};
    std::vector<Bytes> wires;
    for (int i = 0; i < 3; ++i)
      wires.push_back(seal(sealer, {.kind = RecordKind::kData, .stream = 1, .payload = as_bytes("x")}));
    RecordOpener opener{KeyChain(secret("a"))};
    Bytes plain;
    for (const std::size_t i : order) {
      const auto record = open(opener, wires[i], plain);
      if (!record) return record.error().code() == kRecordUnauthentic;
    }
    return false;
  };
  EXPECT_FALSE(fails({0, 1, 2}));
  EXPECT_TRUE(fails({1})) << "first dropped";
  EXPECT_TRUE(fails({0, 2})) << "middle dropped";
  EXPECT_TRUE(fails({0, 0})) << "repeated";
  EXPECT_TRUE(fails({0, 2, 1})) << "reordered";
}

TEST(Records, DoNotOpenInTheOtherDirectionOrInAnotherChannel) {
  const TestEpoch epoch;
  SeededRandom random("x");
  BothKeys one = *shake_hands(epoch, random);
  BothKeys two = *shake_hands(epoch, random);
  EXPECT_NE(one.client.channel_id, two.client.channel_id);
  EXPECT_EQ(one.client.channel_id, one.server.channel_id);
  const Bytes wire = seal(one.client.sealer, {.kind = RecordKind::kPing, .payload = Bytes(8)});
  Bytes plain;
  EXPECT_FALSE(open(one.client.opener, wire, plain));
  EXPECT_FALSE(open(two.server.opener, wire, plain));
  EXPECT_TRUE(open(one.server.opener, wire, plain));
}

TEST(Records, ChangeTheirKeyAfter65536) {
  RecordSealer sealer{KeyChain(secret("a"))};
  RecordOpener opener{KeyChain(secret("a"))};
  Bytes wire(RecordSealer::frame_size(0, Padding::kPadme));
  Bytes plain;
  const RecordPart part{.kind = RecordKind::kData, .flags = 1, .stream = 1, .payload = {}};
  const std::size_t secrets_before = secret_memory_status().used_bytes;
  for (std::uint64_t i = 0; i < kRecordsPerKey; ++i) {
    ASSERT_TRUE(sealer.seal(wire, part));
    ASSERT_TRUE(open(opener, wire, plain)) << i;
  }
  ASSERT_TRUE(sealer.seal(wire, part));
  // x_1 as the specification derives it opens record 65,536; x_0 does not.
  RecordOpener next{KeyChain::for_test(hkdf_expand(secret("a"), label("eml next v1"), 32), kRecordsPerKey)};
  EXPECT_TRUE(open(next, wire, plain));
  RecordOpener old{KeyChain::for_test(secret("a"), kRecordsPerKey)};
  EXPECT_TRUE(open(opener, wire, plain));
  EXPECT_FALSE(open(old, wire, plain));
  EXPECT_GE(secret_memory_status().used_bytes, secrets_before);
}

TEST(Records, KeepNoSecretOfAnOlderKey) {
  KeyChain chain = KeyChain::for_test(secret("a"), kRecordsPerKey - 1);
  const std::size_t before = secret_memory_status().used_bytes;
  ASSERT_TRUE(chain.use());
  ASSERT_TRUE(chain.use());
  EXPECT_EQ(chain.sequence(), kRecordsPerKey + 1);
  EXPECT_EQ(secret_memory_status().used_bytes, before) << "the new secrets stand where the old ones stood";
}

TEST(Records, EndAt2To48) {
  RecordSealer sealer{KeyChain::for_test(secret("a"), kSequenceEnd - 1)};
  RecordOpener opener{KeyChain::for_test(secret("a"), kSequenceEnd - 1)};
  Bytes wire = seal(sealer, {.kind = RecordKind::kPing, .payload = Bytes(8)});
  Bytes plain;
  ASSERT_TRUE(open(opener, wire, plain));
  const Status sealed = sealer.seal(wire, {.kind = RecordKind::kPing, .payload = Bytes(8)});
  ASSERT_FALSE(sealed);
  EXPECT_EQ(sealed.error().code(), kRecordSequenceExhausted);
  const auto opened = open(opener, wire, plain);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), kRecordSequenceExhausted);
}

struct BadPlaintext {
  const char* name;
  std::string head;  // hex; zeros follow up to 256
  ErrorCode code;
};

class BadPlaintexts : public testing::TestWithParam<BadPlaintext> {};

TEST_P(BadPlaintexts, AreRefusedAlthoughTheyOpen) {
  Bytes plaintext = *from_hex(GetParam().head);
  plaintext.resize(256);
  KeyChain chain(secret("a"));
  const Bytes wire = seal_plain(chain, plaintext);
  RecordOpener opener{KeyChain(secret("a"))};
  Bytes plain;
  const auto record = open(opener, wire, plain);
  ASSERT_FALSE(record) << GetParam().name;
  EXPECT_EQ(record.error().code(), GetParam().code) << record.error().to_string();
}

INSTANTIATE_TEST_SUITE_P(Records, BadPlaintexts,
                         testing::Values(BadPlaintext{"kind 0", "00000000000000000000", kRecordUnknownKind},
                                         BadPlaintext{"kind 8", "08000000000000000000", kRecordUnknownKind},
                                         BadPlaintext{"DATA with flag 2", "02020000000100000000", kRecordBadFlags},
                                         BadPlaintext{"DATA with flag 128", "02810000000100000000", kRecordBadFlags},
                                         BadPlaintext{"SETTINGS with flag 1", "01010000000000000000", kRecordBadFlags},
                                         BadPlaintext{"RESET with flag 1", "03010000000100000000", kRecordBadFlags},
                                         BadPlaintext{"STATEMENT with flag 4", "04040000000100000000", kRecordBadFlags},
                                         BadPlaintext{"GOAWAY with flag 1", "05010000000000000000", kRecordBadFlags},
                                         BadPlaintext{"PING with flag 2", "06020000000000000000", kRecordBadFlags},
                                         BadPlaintext{"CLOSE with flag 1", "07010000000000000000", kRecordBadFlags},
                                         BadPlaintext{"size of 247", "020000000001000000f7", kRecordMalformed},
                                         BadPlaintext{"size of 4 GiB", "020000000001ffffffff", kRecordMalformed},
                                         BadPlaintext{"padding",
                                                      "0200000000010000000041"
                                                      "01",
                                                      kRecordPaddingNotZero}));

TEST(Records, RefuseALastByteOfPaddingThatIsNotZero) {
  Bytes plaintext = *from_hex("02010000000100000001");
  plaintext.resize(256);
  plaintext.back() = 1;
  KeyChain chain(secret("a"));
  const Bytes wire = seal_plain(chain, plaintext);
  RecordOpener opener{KeyChain(secret("a"))};
  Bytes plain;
  const auto record = open(opener, wire, plain);
  ASSERT_FALSE(record);
  EXPECT_EQ(record.error().code(), kRecordPaddingNotZero);
}

TEST(Settings, ReadBackAsWritten) {
  const Settings settings{
      .streams = 3, .request_bytes_max = 5, .response_bytes_max = (1ULL << 48) - 1, .idle_ms = 0xffffffff};
  const auto decoded = decode_settings(encode_settings(settings));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, settings);
}

TEST(Settings, AreAClosedMapOfPositiveNumbers) {
  const auto code = [](std::string_view text) {
    const auto decoded = decode_settings(*from_hex(text));
    return decoded ? std::string_view("accepted") : decoded.error().code().name;
  };
  EXPECT_EQ(code("a401010202030304"
                 "04"),
            "accepted");
  EXPECT_EQ(code("a301010202030300"), "cbor-trailing-bytes");
  EXPECT_EQ(code("a30101020203"
                 "03"),
            "cbor-missing-key");
  EXPECT_EQ(code("a501010202030304040505"), "cbor-unknown-key");
  EXPECT_EQ(code("a4010002020303"
                 "0404"),
            "settings-malformed");
  EXPECT_EQ(code("a40101020203030400"), "settings-malformed");
  EXPECT_EQ(code("a4011b0000000100000000020203030404"), "settings-malformed");
  EXPECT_EQ(code("a40101021b0001000000000000"
                 "03030404"),
            "settings-malformed");
  EXPECT_EQ(code(""), "cbor-truncated");
  EXPECT_NE(code("a4010102020303044104"), "accepted");
}

}  // namespace
}  // namespace eml::test
