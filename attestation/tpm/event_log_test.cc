// The two genuine logs give the registers that the quotes beside them have; and a log is exactly records and padding.
#include "attestation/tpm/event_log.h"

#include <gtest/gtest.h>

#include "encoding/json.h"
#include "tests/support/shared.h"

namespace eml {
namespace {

Bytes le32(std::uint32_t v) {
  return {static_cast<std::uint8_t>(v), static_cast<std::uint8_t>(v >> 8), static_cast<std::uint8_t>(v >> 16),
          static_cast<std::uint8_t>(v >> 24)};
}
Bytes le16(std::uint16_t v) { return {static_cast<std::uint8_t>(v), static_cast<std::uint8_t>(v >> 8)}; }

Bytes sha1_record(std::uint32_t index, std::uint32_t type, ByteView digest, ByteView data) {
  return concat(le32(index), le32(type), digest, le32(static_cast<std::uint32_t>(data.size())), data);
}

// header is a crypto-agile log's first record with these hashes.
Bytes header(const std::vector<std::uint16_t>& algorithms, std::size_t wrong_size = 0) {
  Bytes data = to_bytes(std::string_view("Spec ID Event03\0\0\0\0\0\0\x02\0\x02", 24));
  const auto append = [&](const Bytes& more) { data.insert(data.end(), more.begin(), more.end()); };
  append(le32(static_cast<std::uint32_t>(algorithms.size())));
  for (const std::uint16_t id : algorithms) {
    append(le16(id));
    append(le16(static_cast<std::uint16_t>(tpm_hash_size(id) + wrong_size)));
  }
  data.push_back(0);
  return sha1_record(0, kEventNoAction, Bytes(20), data);
}

Bytes event(std::uint32_t index, std::uint32_t type, const std::vector<std::uint16_t>& algorithms, ByteView data) {
  Bytes out = concat(le32(index), le32(type), le32(static_cast<std::uint32_t>(algorithms.size())));
  for (const std::uint16_t id : algorithms) out = concat(out, le16(id), tpm_hash(id, {data}));
  return concat(out, le32(static_cast<std::uint32_t>(data.size())), data);
}

Bytes locality(std::uint8_t value, std::uint32_t index = 0) {
  Bytes data = to_bytes(std::string_view("StartupLocality\0", 16));
  data.push_back(value);
  return event(index, kEventNoAction, {kTpmSha256}, data);
}

std::string decode_error(ByteView log) {
  const auto decoded = decode_event_log(log);
  return decoded ? "ok" : std::string(decoded.error().code().name);
}

Bytes extend(std::uint16_t algorithm, ByteView old, ByteView data) {
  return tpm_hash(algorithm, {old, tpm_hash(algorithm, {data})});
}

TEST(EventLog, TheLogOfAGoogleMachineReplaysToItsQuotedPcrsInEveryBank) {
  EML_SHARED_FILE_OR_SKIP(text, "corpus/open/tpm/gce_cos85_nonce9009_eventlog.bin");
  const auto log = decode_event_log(as_bytes(text));
  ASSERT_TRUE(log) << log.error().to_string();
  EXPECT_EQ(log->events.size(), 44U);
  for (const std::uint16_t algorithm : {kTpmSha1, kTpmSha256, kTpmSha384}) {
    const std::string name(tpm_hash_name(algorithm));
    EML_SHARED_FILE_OR_SKIP(pcrs_text, "corpus/open/tpm/gce_cos85_nonce9009_" + name + "_pcrs.json");
    const auto pcrs = parse_json(as_bytes(pcrs_text));
    ASSERT_TRUE(pcrs);
    const auto registers = replay_event_log(*log, algorithm);
    ASSERT_TRUE(registers);
    EXPECT_EQ(registers->size(), 10U);
    for (const auto& [index, value] : *registers) {
      EXPECT_EQ(hex(value), pcrs->at("pcrs").at(std::to_string(index)).as_string()) << name << " " << index;
    }
  }
}

TEST(EventLog, ACcelIsReadInItsAcpiTableWithPadding) {
  EML_SHARED_FILE_OR_SKIP(text, "corpus/open/tdx/ccel/cos113_ccel_data.dat");
  const auto log = decode_event_log(as_bytes(text));
  ASSERT_TRUE(log) << log.error().to_string();
  EXPECT_EQ(log->algorithms, std::vector<std::uint16_t>{kTpmSha384});
  const auto registers = replay_event_log(*log, kTpmSha384);
  ASSERT_TRUE(registers);
  EXPECT_EQ(registers->size(), 3U);
  EXPECT_TRUE(registers->contains(1) && registers->contains(2) && registers->contains(3));
}

TEST(EventLog, NamesWhatAPolicyMayPinAndSaysWhetherTheDataIsProven) {
  EML_SHARED_FILE_OR_SKIP(text, "corpus/open/tpm/gce_cos85_nonce9009_eventlog.bin");
  const auto named = name_events(decode_event_log(as_bytes(text)).value(), kTpmSha256).value();
  const auto find = [&](std::string_view type, std::string_view name) {
    for (const NamedEvent& each : named) {
      if (each.type == type && each.name == name) return each;
    }
    return NamedEvent{};
  };
  EXPECT_TRUE(find("EV_EFI_VARIABLE_DRIVER_CONFIG", "SecureBoot").data_measured);
  EXPECT_TRUE(find("EV_EFI_ACTION", "Exit Boot Services Invocation").data_measured);
  EXPECT_TRUE(find("EV_IPL", "set timeout=0").data_measured);
  const NamedEvent boot = find("EV_EFI_VARIABLE_BOOT", "BootOrder");
  EXPECT_EQ(boot.index, 1U);
  EXPECT_FALSE(boot.data_measured);  // firmware hashed the value without its name
}

TEST(EventLog, ExtendsZerosByEachDigest) {
  const Bytes log = concat(header({kTpmSha1, kTpmSha512}), event(4, 5, {kTpmSha1, kTpmSha512}, as_bytes("a")),
                           event(4, 5, {kTpmSha512, kTpmSha1}, as_bytes("b")),
                           event(4, kEventNoAction, {kTpmSha1, kTpmSha512}, as_bytes("not measured")));
  const auto decoded = decode_event_log(log);
  ASSERT_TRUE(decoded) << decoded.error().to_string();
  for (const std::uint16_t id : {kTpmSha1, kTpmSha512}) {
    const Bytes zeros(tpm_hash_size(id));
    EXPECT_EQ(replay_event_log(*decoded, id).value(),
              (Registers{{4, extend(id, extend(id, zeros, as_bytes("a")), as_bytes("b"))}}));
  }
  EXPECT_EQ(replay_event_log(*decoded, kTpmSha256).error().code(), kEventLogAlgorithm);
  EXPECT_EQ(name_events(*decoded, kTpmSha256).error().code(), kEventLogAlgorithm);
  EXPECT_EQ(name_events(*decoded, kTpmSha1).value().size(), 2U);
}

TEST(EventLog, ReadsTheSha1FormatWithAndWithoutItsHeader) {
  const Bytes digest = tpm_hash(kTpmSha1, {as_bytes("x")});
  const Bytes record = sha1_record(2, 1, digest, as_bytes("post code"));
  const Bytes spec = to_bytes(std::string_view("Spec ID Event00\0rest", 20));
  for (const Bytes& log : {record, concat(sha1_record(0, kEventNoAction, Bytes(20), spec), record)}) {
    const auto decoded = decode_event_log(log);
    ASSERT_TRUE(decoded) << decoded.error().to_string();
    EXPECT_FALSE(decoded->crypto_agile);
    EXPECT_EQ(replay_event_log(*decoded, kTpmSha1).value(), (Registers{{2, tpm_hash(kTpmSha1, {Bytes(20), digest})}}));
  }
}

TEST(EventLog, StartupLocalityIsTheFirstValueOfPcr0) {
  const Bytes log = concat(header({kTpmSha256}), locality(3), event(0, 8, {kTpmSha256}, as_bytes("crtm")));
  Bytes start(32);
  start.back() = 3;
  EXPECT_EQ(replay_event_log(decode_event_log(log).value(), kTpmSha256).value(),
            (Registers{{0, extend(kTpmSha256, start, as_bytes("crtm"))}}));
}

TEST(EventLog, RejectsWhatIsNoLog) {
  const Bytes head = header({kTpmSha256});
  const Bytes good = event(1, 4, {kTpmSha256}, as_bytes("data"));
  struct Bad {
    const char* what;
    Bytes log;
    std::string_view error = "event-log-malformed";
  };
  const std::vector<Bad> table{
      {"empty", {}},
      {"a header without hashes", concat(header({}), good)},
      {"a hash of another size", concat(header({kTpmSha256}, 1), good)},
      {"a hash twice in the header", concat(header({kTpmSha256, kTpmSha256}), good)},
      {"an unknown hash", header({0x12}), "event-log-algorithm"},
      {"no digest", concat(head, event(1, 4, {}, as_bytes("data")))},
      {"a digest too many", concat(head, event(1, 4, {kTpmSha256, kTpmSha1}, as_bytes("data")))},
      {"a digest twice", concat(header({kTpmSha256, kTpmSha1}), event(1, 4, {kTpmSha256, kTpmSha256}, {}))},
      {"a digest that the header does not name", concat(head, event(1, 4, {kTpmSha384}, as_bytes("data")))},
      {"padding with something in it", concat(head, good, Bytes(40, 0xff), Bytes{0xfe})},
      {"padding of two kinds", concat(head, good, Bytes(40, 0), Bytes(2, 0xff))},
      {"half a record", concat(head, good, Bytes(7, 1))},
      {"a locality of another register", concat(head, locality(3, 1))},
      {"a locality after PCR 0 was extended", concat(head, event(0, 4, {kTpmSha256}, {}), locality(3))},
      {"two localities", concat(head, locality(3), locality(3))},
      {"a locality that is none", concat(head, locality(2))},
      {"event data that reaches past the end",
       concat(head, good, Bytes{1, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0x0b, 0}, Bytes(32), Bytes(4, 0xff))},
  };
  EXPECT_EQ(decode_error(concat(head, good, good)), "ok");
  for (const Bad& bad : table) EXPECT_EQ(decode_error(bad.log), bad.error) << bad.what;
  EXPECT_EQ(decode_error(Bytes(kEventLogBytesMax + 1)), "event-log-too-large");
}

TEST(EventLog, ATruncatedLogIsRejectedExceptBetweenRecords) {
  const Bytes head = header({kTpmSha256});
  const Bytes one = event(1, 4, {kTpmSha256}, as_bytes("data"));
  const Bytes log = concat(head, one, one);
  for (std::size_t size = 0; size < log.size(); ++size) {
    const bool whole = size == head.size() || size == head.size() + one.size();
    EXPECT_EQ(decode_error(ByteView(log).first(size)), whole ? "ok" : "event-log-malformed") << size;
  }
}

}  // namespace
}  // namespace eml
