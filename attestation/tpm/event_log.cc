#include "attestation/tpm/event_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "encoding/reader.h"

namespace eml {
namespace {

constexpr std::string_view kSpecId{"Spec ID Event03\0", 16};         // crypto-agile
constexpr std::string_view kSpecIdSha1{"Spec ID Event00\0", 16};     // TPM 1.2's
constexpr std::string_view kSpecIdSha1Efi{"Spec ID Event02\0", 16};  // and UEFI's
constexpr std::string_view kStartupLocality{"StartupLocality\0", 16};
constexpr std::size_t kSha1Size = 20;

std::unexpected<Error> malformed(Literal what, std::size_t offset) { return fail(kEventLogMalformed, what, offset); }

// The cursor's own errors become this module's, with the offset in the whole log.
template <typename T>
Result<T> or_malformed(Result<T> result, const Reader& in) {
  if (result) return result;
  return malformed("the event log ends inside a record", in.offset());
}

struct Record {
  std::uint32_t index = 0;
  std::uint32_t type = 0;
  ByteView sha1;
  ByteView data;
};

// decode_record reads TCG_PCR_EVENT, the record of the SHA-1 format and of every log's first record.
Result<Record> decode_record(Reader& in) {
  Record out;
  EML_TRY(out.index, or_malformed(in.u32_le(), in));
  EML_TRY(out.type, or_malformed(in.u32_le(), in));
  EML_TRY(out.sha1, or_malformed(in.bytes(kSha1Size), in));
  EML_TRY(const std::uint32_t size, or_malformed(in.u32_le(), in));
  EML_TRY(out.data, or_malformed(in.bytes(size), in));
  return out;
}

// decode_algorithms reads TCG_EfiSpecIDEvent after its signature.
Result<std::vector<std::uint16_t>> decode_algorithms(ByteView header) {
  Reader in(header);
  static_cast<void>(in.bytes(kSpecId.size()));
  EML_CHECK(or_malformed(in.bytes(8), in));  // platform class, versions, errata, size of UINTN
  EML_TRY(const std::uint32_t count, or_malformed(in.u32_le(), in));
  if (count == 0 || count > 8) return malformed("the log's header names no hash, or more than there are", in.offset());
  std::vector<std::uint16_t> out;
  for (std::uint32_t i = 0; i < count; ++i) {
    EML_TRY(const std::uint16_t id, or_malformed(in.u16_le(), in));
    EML_TRY(const std::uint16_t size, or_malformed(in.u16_le(), in));
    if (tpm_hash_size(id) == 0) return fail(kEventLogAlgorithm, "the log has a hash that is not ours", id);
    if (tpm_hash_size(id) != size) return malformed("the log's header gives a hash another size", in.offset());
    if (std::ranges::find(out, id) != out.end()) return malformed("the log's header names a hash twice", in.offset());
    out.push_back(id);
  }
  EML_TRY(const std::uint8_t vendor_bytes, or_malformed(in.u8(), in));
  EML_CHECK(or_malformed(in.bytes(vendor_bytes), in));
  if (!in.expect_end()) return malformed("the log's header is longer than it says", in.offset());
  return out;
}

// decode_event reads TCG_PCR_EVENT2: a digest for each of `algorithms`, once, in any order.
Result<LogEvent> decode_event(Reader& in, const std::vector<std::uint16_t>& algorithms) {
  LogEvent out;
  EML_TRY(out.index, or_malformed(in.u32_le(), in));
  EML_TRY(out.type, or_malformed(in.u32_le(), in));
  EML_TRY(const std::uint32_t count, or_malformed(in.u32_le(), in));
  if (count != algorithms.size()) return malformed("an event has not one digest for each hash", in.offset());
  for (std::uint32_t i = 0; i < count; ++i) {
    EML_TRY(const std::uint16_t id, or_malformed(in.u16_le(), in));
    if (std::ranges::find(algorithms, id) == algorithms.end() ||
        std::ranges::find(out.digests, id, &LogDigest::algorithm) != out.digests.end()) {
      return malformed("an event has a digest that the header does not name, or one twice", in.offset());
    }
    EML_TRY(const ByteView digest, or_malformed(in.bytes(tpm_hash_size(id)), in));
    out.digests.push_back({.algorithm = id, .digest = to_bytes(digest)});
  }
  EML_TRY(const std::uint32_t size, or_malformed(in.u32_le(), in));
  EML_TRY(const ByteView data, or_malformed(in.bytes(size), in));
  out.data = to_bytes(data);
  return out;
}

// is_padding: ACPI's log area is larger than the log, and filled up with one byte. A record cannot begin with twelve
// of them: 0xffffffff is no register, and no event is without digests (SHA-1 format: of type 0 with a digest of zeros).
bool is_padding(ByteView rest) {
  const std::uint8_t fill = rest.front();
  if (fill != 0xff && fill != 0) return false;
  const auto head = rest.first(std::min<std::size_t>(rest.size(), 12));
  return std::ranges::all_of(head, [&](std::uint8_t byte) { return byte == fill; });
}

Status expect_padding(ByteView rest, std::size_t offset) {
  const auto other = std::ranges::find_if(rest, [&](std::uint8_t byte) { return byte != rest.front(); });
  if (other == rest.end()) return {};
  return malformed("the log's padding has something in it", offset + static_cast<std::size_t>(other - rest.begin()));
}

Result<LogEvent> decode_next(Reader& in, const EventLog& log) {
  if (log.crypto_agile) return decode_event(in, log.algorithms);
  EML_TRY(const Record record, decode_record(in));
  LogEvent out{.index = record.index, .type = record.type, .digests = {}, .data = to_bytes(record.data)};
  out.digests.push_back({.algorithm = kTpmSha1, .digest = to_bytes(record.sha1)});
  return out;
}

// note_locality: only the first thing that happens to PCR 0 can be its start.
Status note_locality(EventLog& log, const LogEvent& event, std::size_t offset) {
  if (event.type != kEventNoAction || !as_text(event.data).starts_with(kStartupLocality)) return {};
  if (event.data.size() != kStartupLocality.size() + 1) return malformed("a startup locality is one byte", offset);
  const bool extended = std::ranges::any_of(
      log.events, [](const LogEvent& earlier) { return earlier.index == 0 && earlier.type != kEventNoAction; });
  const std::uint8_t locality = event.data.back();
  if (event.index != 0 || extended || log.startup_locality != 0 || (locality != 0 && locality != 3 && locality != 4)) {
    return malformed("a startup locality that is not PCR 0's, not first, or none of 0, 3 and 4", offset);
  }
  log.startup_locality = locality;
  return {};
}

// decode_header reads the first record. Logs of the SHA-1 format need not have one that says so.
Result<EventLog> decode_header(Reader& in, ByteView log) {
  EventLog out{.crypto_agile = false, .algorithms = {kTpmSha1}, .startup_locality = 0, .events = {}};
  Reader ahead(log);
  EML_TRY(const Record first, decode_record(ahead));
  if (first.type != kEventNoAction) return out;
  const std::string_view data = as_text(first.data);
  if (data.starts_with(kSpecId)) {
    EML_TRY(out.algorithms, decode_algorithms(first.data));
    out.crypto_agile = true;
  } else if (!data.starts_with(kSpecIdSha1) && !data.starts_with(kSpecIdSha1Efi)) {
    return out;
  }
  in = ahead;
  return out;
}

const LogDigest* digest_of(const LogEvent& event, std::uint16_t algorithm) {
  const auto found = std::ranges::find(event.digests, algorithm, &LogDigest::algorithm);
  return found == event.digests.end() ? nullptr : &*found;
}

Status expect_algorithm(const EventLog& log, std::uint16_t algorithm) {
  if (std::ranges::find(log.algorithms, algorithm) != log.algorithms.end()) return {};
  return fail(kEventLogAlgorithm, "the log has no digests of this hash", algorithm);
}

struct TypeName {
  std::uint32_t type;
  std::string_view name;
};

constexpr std::array<TypeName, 32> kTypeNames{{{0, "EV_PREBOOT_CERT"},
                                               {1, "EV_POST_CODE"},
                                               {3, "EV_NO_ACTION"},
                                               {4, "EV_SEPARATOR"},
                                               {5, "EV_ACTION"},
                                               {6, "EV_EVENT_TAG"},
                                               {7, "EV_S_CRTM_CONTENTS"},
                                               {8, "EV_S_CRTM_VERSION"},
                                               {9, "EV_CPU_MICROCODE"},
                                               {0xa, "EV_PLATFORM_CONFIG_FLAGS"},
                                               {0xb, "EV_TABLE_OF_DEVICES"},
                                               {0xc, "EV_COMPACT_HASH"},
                                               {0xd, "EV_IPL"},
                                               {0xe, "EV_IPL_PARTITION_DATA"},
                                               {0xf, "EV_NONHOST_CODE"},
                                               {0x10, "EV_NONHOST_CONFIG"},
                                               {0x11, "EV_NONHOST_INFO"},
                                               {0x12, "EV_OMIT_BOOT_DEVICE_EVENTS"},
                                               {0x80000001, "EV_EFI_VARIABLE_DRIVER_CONFIG"},
                                               {0x80000002, "EV_EFI_VARIABLE_BOOT"},
                                               {0x80000003, "EV_EFI_BOOT_SERVICES_APPLICATION"},
                                               {0x80000004, "EV_EFI_BOOT_SERVICES_DRIVER"},
                                               {0x80000005, "EV_EFI_RUNTIME_SERVICES_DRIVER"},
                                               {0x80000006, "EV_EFI_GPT_EVENT"},
                                               {0x80000007, "EV_EFI_ACTION"},
                                               {0x80000008, "EV_EFI_PLATFORM_FIRMWARE_BLOB"},
                                               {0x80000009, "EV_EFI_HANDOFF_TABLES"},
                                               {0x8000000a, "EV_EFI_PLATFORM_FIRMWARE_BLOB2"},
                                               {0x8000000b, "EV_EFI_HANDOFF_TABLES2"},
                                               {0x8000000c, "EV_EFI_VARIABLE_BOOT2"},
                                               {0x80000010, "EV_EFI_HCRTM_EVENT"},
                                               {0x800000e0, "EV_EFI_VARIABLE_AUTHORITY"}}};

std::string type_name(std::uint32_t type) {
  for (const TypeName& known : kTypeNames) {
    if (known.type == type) return std::string(known.name);
  }
  return fmt::format("EV_0x{:x}", type);
}

std::string printable(ByteView text) {
  std::string out;
  for (const std::uint8_t byte : text) out.push_back(byte >= 0x20 && byte < 0x7f ? static_cast<char>(byte) : '?');
  return out;
}

// variable_name reads UEFI_VARIABLE_DATA: GUID, length of the name in UTF-16 units, length of the value, name, value.
std::string variable_name(ByteView data) {
  Reader in(data);
  if (!in.bytes(16)) return {};
  const auto units = in.u64_le();
  const auto size = units ? in.u64_le() : units;
  if (!size || *units > in.remaining() / 2) return {};
  std::string out;
  for (std::uint64_t i = 0; i < *units; ++i) {
    const std::uint16_t unit = in.u16_le().value_or(0);
    out.push_back(unit >= 0x20 && unit < 0x7f ? static_cast<char>(unit) : '?');
  }
  return in.remaining() == *size ? out : std::string();
}

bool is_variable(std::uint32_t type) {
  return type == 0x80000001 || type == 0x80000002 || type == 0x8000000c || type == 0x800000e0;
}

bool is_text(std::uint32_t type) { return type == 5 || type == 0xd || type == 0x80000007; }

// without_prefix is what GRUB hashes of an EV_IPL text: the command alone, without the final NUL.
ByteView without_prefix(ByteView data) {
  std::string_view text = as_text(data);
  if (text.ends_with('\0')) text.remove_suffix(1);
  for (const std::string_view prefix : {"grub_cmd: ", "kernel_cmdline: "}) {
    if (text.starts_with(prefix)) return as_bytes(text.substr(prefix.size()));
  }
  return as_bytes(text);
}

void name_event(NamedEvent& out, const LogEvent& event, std::uint16_t algorithm) {
  const auto measures = [&](ByteView data) { return tpm_hash(algorithm, {data}) == out.digest; };
  out.data_measured = measures(event.data);
  if (is_variable(event.type)) {
    out.name = variable_name(event.data);
  } else if (is_text(event.type)) {
    const ByteView text = without_prefix(event.data);
    out.name = printable(text);
    out.data_measured = out.data_measured || measures(text);
  }
}

}  // namespace

Result<EventLog> decode_event_log(ByteView log) {
  if (log.size() > kEventLogBytesMax) return fail(kEventLogLimit, "the event log is too large", log.size());
  Reader in(log);
  EML_TRY(EventLog out, decode_header(in, log));
  while (in.remaining() != 0) {
    const std::size_t offset = in.offset();
    if (is_padding(log.subspan(offset))) {
      EML_CHECK(expect_padding(log.subspan(offset), offset));
      break;
    }
    if (out.events.size() == kEventsMax) return fail(kEventLogLimit, "the event log has too many events", kEventsMax);
    EML_TRY(LogEvent event, decode_next(in, out));
    EML_CHECK(note_locality(out, event, offset));
    out.events.push_back(std::move(event));
  }
  return out;
}

Result<Registers> replay_event_log(const EventLog& log, std::uint16_t algorithm) {
  EML_CHECK(expect_algorithm(log, algorithm));
  Registers out;
  for (const LogEvent& event : log.events) {
    const LogDigest* const digest = digest_of(event, algorithm);
    if (event.type == kEventNoAction || digest == nullptr) continue;
    Bytes& value = out[event.index];
    if (value.empty()) {
      value.resize(tpm_hash_size(algorithm));
      if (event.index == 0) value.back() = log.startup_locality;
    }
    value = tpm_hash(algorithm, {value, digest->digest});
  }
  return out;
}

Result<std::vector<NamedEvent>> name_events(const EventLog& log, std::uint16_t algorithm) {
  EML_CHECK(expect_algorithm(log, algorithm));
  std::vector<NamedEvent> out;
  for (const LogEvent& event : log.events) {
    const LogDigest* const digest = digest_of(event, algorithm);
    if (event.type == kEventNoAction || digest == nullptr) continue;
    NamedEvent named{.index = event.index, .type = type_name(event.type), .name = {}, .digest = digest->digest};
    name_event(named, event, algorithm);
    out.push_back(std::move(named));
  }
  return out;
}

}  // namespace eml
