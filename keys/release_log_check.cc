// Checking a log: docs/spec/key_release.md, 6. Pure: bytes in, report out.
#include <algorithm>
#include <array>

#include "crypto/hash.h"
#include "keys/release_log.h"

namespace eml {

namespace {

constexpr JsonLimits kLineLimits{.bytes_max = kReleaseLogTornLineMax, .depth_max = 4};

struct Chain {
  std::uint64_t seq = 0;
  Hash32 prev{};  // of the first record: zeros
};

bool is_text(const JsonObject& record, std::initializer_list<std::string_view> members) {
  return std::ranges::all_of(members, [&](std::string_view member) { return json_text(record, member).has_value(); });
}

bool is_start(const JsonObject& record) {
  return expect_members(record, {"broker_key", "kind", "policy", "policy_name", "policy_serial", "prev", "seq", "time",
                                 "version"}) &&
         is_text(record, {"broker_key", "policy", "policy_name"}) && json_uint(record, "policy_serial");
}

bool is_decision(const JsonObject& record) {
  return expect_members(record,
                        {"bundle", "decision", "detail", "evidence", "evidence_kind", "key_id", "kind", "measurements",
                         "model_hash", "nonce", "package_id", "policy", "prev", "rule", "seq", "time", "version"}) &&
         is_text(record, {"decision", "detail", "nonce", "policy", "rule"});
}

bool is_torn(const JsonObject& record) {
  if (!expect_members(record, {"bytes", "kind", "prev", "seq", "sha256", "time", "version"})) return false;
  const auto digits = json_text(record, "bytes");
  const auto bytes = digits ? from_hex(*digits) : std::nullopt;
  const auto hash = json_text(record, "sha256");
  return bytes && hash && hex(sha256(*bytes)) == *hash;
}

bool is_record(const JsonObject& record, std::size_t line_size) {
  const auto kind = json_text(record, "kind");
  if (!kind) return false;
  if (*kind == "torn") return is_torn(record);
  if (line_size > kReleaseLogLineMax) return false;
  return (*kind == "start" && is_start(record)) || (*kind == "decision" && is_decision(record));
}

bool has_place(const JsonObject& record, const Chain& chain) {
  const auto seq = json_uint(record, "seq");
  const auto prev = json_text(record, "prev");
  const auto version = json_uint(record, "version");
  const auto time = json_text(record, "time");
  return version && *version == 1 && seq && *seq == chain.seq && prev && *prev == hex(chain.prev) && time &&
         parse_rfc3339(*time);
}

// One line without its line feed; moves the chain on.
bool check_line(ByteView line, Chain& chain, LogReport& report) {
  const auto value = parse_json(line, kLineLimits);
  if (!value || !value->is_object() || canonical_json(*value) != as_text(line)) return false;
  const JsonObject& record = value->get_object();
  if (!has_place(record, chain) || !is_record(record, line.size())) return false;
  report.last = LogPosition{.seq = chain.seq, .hash = sha256(line)};
  if (const auto serial = json_uint(record, "policy_serial")) report.last_policy_serial = *serial;
  chain = {.seq = chain.seq + 1, .prev = report.last->hash};
  return true;
}

}  // namespace

Result<LogReport> verify_log(ByteView log) {
  LogReport report;
  Chain chain;
  while (!log.empty()) {
    const auto end = std::ranges::find(log, std::uint8_t{'\n'});
    if (end == log.end()) break;
    const ByteView line(log.begin(), end);
    if (!check_line(line, chain, report)) {
      return fail(kReleaseLogBroken, "a record is damaged, out of place or not ours (line)", report.records + 1);
    }
    report.records += 1;
    report.whole_bytes += line.size() + 1;
    log = log.subspan(line.size() + 1);
  }
  report.torn_bytes = log.size();
  // What one cut write cannot leave behind is damage.
  if (report.torn_bytes > kReleaseLogTornLineMax) {
    return fail(kReleaseLogBroken, "a record has no end (line)", report.records + 1);
  }
  return report;
}

}  // namespace eml
