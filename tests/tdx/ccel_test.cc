// Step 14 of docs/spec/evidence/tdx.md: the event log leads to the RTMRs, on a made log and on a genuine one.
#include <gtest/gtest.h>

#include "attestation/tdx/ccel.h"
#include "crypto/hash.h"
#include "tests/support/shared.h"
#include "tests/tdx/tdx_judging.h"

namespace eml {
namespace {

using test::dcap::judge_made;
using test::dcap::Made;
using test::dcap::outcome;
using test::dcap::Plan;

void le(Bytes& out, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

void append(Bytes& out, ByteView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

// The first record: SHA-384 is the log's only hash.
Bytes log_header() {
  Bytes id = to_bytes("Spec ID Event03");
  le(id, 0, 1);
  le(id, 0, 4);           // platform class
  le(id, 0x02000200, 4);  // minor 0, major 2, errata 0, 64-bit
  le(id, 1, 4);
  le(id, 0x000c, 2);
  le(id, 48, 2);
  le(id, 0, 1);  // no vendor information
  Bytes out;
  le(out, 0, 4);
  le(out, 3, 4);
  append(out, Bytes(20, 0));
  le(out, static_cast<std::uint32_t>(id.size()), 4);
  append(out, id);
  return out;
}

struct Extend {
  std::uint32_t index;
  std::string data;
};

Bytes event_log(const std::vector<Extend>& events) {
  Bytes out = log_header();
  for (const Extend& event : events) {
    le(out, event.index, 4);
    le(out, 0x0d, 4);  // EV_IPL
    le(out, 1, 4);
    le(out, 0x000c, 2);
    append(out, sha384(as_bytes(event.data)));
    le(out, static_cast<std::uint32_t>(event.data.size()), 4);
    append(out, as_bytes(event.data));
  }
  return out;
}

// A plan whose RTMRs are what the events lead to, and the same events as a log.
Made made_with_log(const std::vector<Extend>& events, const Bytes& log) {
  Plan plan;
  for (const Extend& event : events) {
    Hash48& rtmr = plan.td.rtmr.at(event.index - 1);
    const bool first = rtmr == Plan().td.rtmr.at(event.index - 1);
    rtmr = sha384(concat(first ? Hash48{} : rtmr, sha384(as_bytes(event.data))));
  }
  Made made = plan.make();
  made.collateral["event_log"] = log;
  return made;
}

const std::vector<Extend> kEvents{{1, "firmware"}, {2, "kernel"}, {2, "initrd"}, {3, "command line"}};

TEST(TdxEventLog, Step14AcceptsALogThatLeadsToTheRtmrs) {
  const EvidenceVerdict verdict = judge_made(made_with_log(kEvents, event_log(kEvents)));
  EXPECT_EQ(outcome(verdict), "ok");
  const JsonArray& events = verdict.details.at("events").get_array();
  ASSERT_EQ(events.size(), 4U);
  EXPECT_EQ(events[1].at("rtmr"), 1);
  EXPECT_EQ(events[1].at("type"), "EV_IPL");
  EXPECT_EQ(events[1].at("digest"), Json(hex(sha384(as_bytes("kernel")))));
}

TEST(TdxEventLog, Step14RefusesALogThatLeadsElsewhere) {
  std::vector<Extend> other = kEvents;
  std::swap(other[1], other[2]);  // the order counts
  EXPECT_EQ(outcome(judge_made(made_with_log(kEvents, event_log(other)))), "event-log");
  other = kEvents;
  other.pop_back();  // RTMR 2 is then not in the log, and not judged
  EXPECT_EQ(outcome(judge_made(made_with_log(kEvents, event_log(other)))), "ok");
  other = kEvents;
  other.push_back({3, "more"});
  EXPECT_EQ(outcome(judge_made(made_with_log(kEvents, event_log(other)))), "event-log");
  other = kEvents;
  other.push_back({4, "RTMR 3 is something else"});
  EXPECT_EQ(outcome(judge_made(made_with_log(kEvents, event_log(other)))), "event-log");
}

TEST(TdxEventLog, Step14RefusesWhatIsNoLogOfRtmrs) {
  const Bytes log = event_log(kEvents);
  const auto judge_log = [&](const Bytes& bytes) { return outcome(judge_made(made_with_log(kEvents, bytes))); };
  EXPECT_EQ(judge_log({}), "event-log-parse");
  EXPECT_EQ(judge_log(Bytes(log.begin(), log.end() - 1)), "event-log-parse");
  EXPECT_EQ(judge_log(event_log({{0, "MRTD is not extended"}})), "event-log-parse");
  EXPECT_EQ(judge_log(event_log({{5, "there is no RTMR 4"}})), "event-log-parse");
  EXPECT_EQ(judge_log(concat(log, Bytes(500, 0xff))), "ok");  // an ACPI table's padding
}

TEST(TdxEventLog, Step14RefusesTheLogOfAnEnclave) {
  Plan plan;
  plan.for_sgx(3);
  Made made = plan.make();
  made.collateral["event_log"] = event_log(kEvents);
  EXPECT_EQ(outcome(judge_made(made)), "event-log");
}

TEST(TdxEventLog, WithoutALogTheStepIsNotChecked) {
  const EvidenceVerdict verdict = judge_made(Plan().make());
  for (const Check& check : verdict.checks) {
    if (check.id == "tdx-event-log") EXPECT_EQ(check.outcome, Outcome::kNotChecked);
  }
  EXPECT_FALSE(verdict.details.get_object().contains("events"));
}

TEST(TdxEventLog, AGenuineCcelLeadsToTheRtmrsOfItsQuote) {
  EML_SHARED_FILE_OR_SKIP(log, "corpus/open/tdx/ccel/cos113_ccel_data.dat");
  EML_SHARED_FILE_OR_SKIP(quote_bytes, "corpus/open/tdx/quotes/tdx_v4_gcp_cos113_00806f05.bin");
  const auto quote = tdx::decode_quote(as_bytes(quote_bytes));
  ASSERT_TRUE(quote);
  const auto events = tdx::verify_event_log(as_bytes(log), *quote->td());
  ASSERT_TRUE(events) << events.error().to_string();
  EXPECT_GT(events->size(), 10U);
  tdx::TdReport other = *quote->td();
  other.rtmr[1][0] ^= 1U;
  EXPECT_FALSE(tdx::verify_event_log(as_bytes(log), other));
}

}  // namespace
}  // namespace eml
