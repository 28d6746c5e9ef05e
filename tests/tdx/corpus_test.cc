// The shared corpus: every graded case of kind tdx agrees, with and without a cache, at its own time and at others.
#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <optional>

#include "tests/support/shared.h"
#include "tests/support/shared_corpus.h"
#include "tests/tdx/tdx_judging.h"

namespace eml {
namespace {

using test::dcap::outcome;

constexpr const char* kFiles[] = {"corpus/open/tdx/cases.json", "corpus/open/tdx/neg_cases.json",
                                  "corpus/open/tdx/synth_cases.json"};

// Case is one entry with the files that it names.
struct Case {
  std::string id;
  Json json;
  Bytes evidence;
  Collateral collateral;
  std::optional<Bytes> root;
  UnixSeconds time = 0;

  const JsonObject& expect() const { return json.at("expect").get_object(); }
  const Json* policy() const { return json.get_object().if_contains("policy"); }
  std::string text(const char* member) const {
    const Json* found = expect().if_contains(member);
    return found == nullptr || !found->is_string() ? std::string() : std::string(std::string_view(found->get_string()));
  }
  bool graded() const {
    const Json* either = json.get_object().if_contains("either");
    if (either != nullptr && either->is_bool() && either->get_bool()) return false;
    return text("verdict") == "valid" || text("verdict") == "invalid";
  }
  EvidenceInput input() const {
    return {.evidence = evidence, .collateral = &collateral, .time = time, .requirements = policy(), .root = root};
  }
};

Bytes corpus_file(const Json& path) {
  const auto bytes = test::read_bytes(test::shared_dir() / "corpus" / std::string(std::string_view(path.get_string())));
  EXPECT_TRUE(bytes) << path;
  return bytes.value_or(Bytes{});
}

Case read_case(const Json& json) {
  Case out{.id = std::string(std::string_view(json.at("id").get_string())), .json = json};
  out.evidence = corpus_file(json.at("evidence"));
  out.time = parse_rfc3339(std::string_view(json.at("time").get_string())).value();
  if (!json.at("collateral").is_object()) return out;
  for (const auto& member : json.at("collateral").get_object()) {
    if (member.value().is_null()) continue;
    if (member.key() == "root") {
      out.root = corpus_file(member.value());
    } else {
      out.collateral.emplace(std::string(std::string_view(member.key())), corpus_file(member.value()));
    }
  }
  return out;
}

std::vector<Case> read_cases() {
  std::vector<Case> out;
  for (const char* file : kFiles) {
    const auto text = test::read_bytes(test::shared_dir() / file);
    if (!text) continue;
    const auto json = parse_json(*text, {.bytes_max = std::size_t{1} << 24});
    EXPECT_TRUE(json) << file;
    for (const Json& one : json->get_array()) out.push_back(read_case(one));
  }
  return out;
}

// agrees compares what is stated, member for member, with what is there.
bool agrees(const Json& stated, const Json& has) {
  if (!stated.is_object()) return compact_json(stated) == compact_json(has);
  if (!has.is_object()) return false;
  for (const auto& member : stated.get_object()) {
    const Json* found = has.get_object().if_contains(member.key());
    if (found == nullptr || !agrees(member.value(), *found)) return false;
  }
  return true;
}

void expect_statements(const Case& one, const EvidenceVerdict& verdict) {
  const JsonObject& expect = one.expect();
  if (const Json* fields = expect.if_contains("fields"); fields != nullptr && !fields->is_null()) {
    EXPECT_TRUE(agrees(*fields, verdict.fields)) << one.id << "\n" << *fields << "\n" << verdict.fields;
  }
  if (!one.graded()) return;
  if (const std::string status = one.text("tcb_status"); !status.empty())
    EXPECT_EQ(verdict.tcb_status, status) << one.id;
  for (const char* name :
       {"platform_status", "module_status", "qe_status", "tcb_date", "tcb_evaluation_data_number", "policy_flags"}) {
    const Json* stated = expect.if_contains(name);
    if (stated == nullptr || (stated->is_null() && verdict.tcb_status.empty())) continue;
    const Json* has = verdict.details.get_object().if_contains(name);
    EXPECT_TRUE(has != nullptr && agrees(*stated, *has)) << one.id << " " << name << " " << *stated;
  }
  if (const Json* advisories = expect.if_contains("advisories"); advisories != nullptr && advisories->is_array()) {
    std::vector<std::string> stated;
    for (const Json& id : advisories->get_array()) stated.emplace_back(std::string_view(id.get_string()));
    std::ranges::sort(stated);
    EXPECT_EQ(verdict.advisories, stated) << one.id;
  }
}

bool class_agrees(const Case& one, const EvidenceVerdict& verdict) {
  std::string got = outcome(verdict);
  std::ranges::replace(got, '-', '_');
  if (got == one.text("error")) return true;
  const Json* also = one.expect().if_contains("error_also");
  if (also == nullptr || !also->is_array()) return false;
  for (const Json& other : also->get_array()) {
    if (got == std::string_view(other.get_string())) return true;
  }
  return false;
}

TEST(TdxCorpus, EveryGradedCaseAgrees) {
  const std::vector<Case> cases = read_cases();
  if (!test::has_shared_corpus()) GTEST_SKIP() << test::no_shared_corpus();
  ASSERT_FALSE(cases.empty());
  std::size_t graded = 0;
  std::size_t invalid = 0;
  std::size_t classes = 0;
  for (const Case& one : cases) {
    const EvidenceVerdict verdict = judge_tdx(one.input());
    expect_statements(one, verdict);
    if (!one.graded()) continue;
    ++graded;
    const bool valid = one.text("verdict") == "valid";
    EXPECT_EQ(!verdict.error, valid) << one.id << ": " << outcome(verdict) << ", not " << one.text("error");
    if (valid) continue;
    ++invalid;
    const bool same = class_agrees(one, verdict);
    classes += same ? 1 : 0;
    if (!same)
      std::printf("class: %s: %s, not %s\n", one.id.c_str(), outcome(verdict).c_str(), one.text("error").c_str());
  }
  std::printf("%zu cases, %zu graded, %zu of %zu error classes agree\n", cases.size(), graded, classes, invalid);
  EXPECT_GE(classes * 100, invalid * 95);
}

void expect_same(const EvidenceVerdict& a, const EvidenceVerdict& b, const std::string& id) {
  EXPECT_EQ(outcome(a), outcome(b)) << id;
  EXPECT_EQ(a.fields, b.fields) << id;
  EXPECT_EQ(a.details, b.details) << id;
  EXPECT_EQ(a.tcb_status, b.tcb_status) << id;
  EXPECT_EQ(a.advisories, b.advisories) << id;
}

TEST(TdxCorpus, ACacheChangesNoVerdict) {
  const std::vector<Case> cases = read_cases();
  if (!test::has_shared_corpus()) GTEST_SKIP() << test::no_shared_corpus();
  ASSERT_FALSE(cases.empty());
  tdx::VerifierCache cache;
  for (int round = 0; round < 2; ++round) {
    for (const Case& one : cases) expect_same(judge_tdx(one.input(), cache), judge_tdx(one.input()), one.id);
  }
}

TEST(TdxCorpus, ACacheChangesNoVerdictAtOtherTimes) {
  const std::vector<Case> cases = read_cases();
  if (!test::has_shared_corpus()) GTEST_SKIP() << test::no_shared_corpus();
  ASSERT_FALSE(cases.empty());
  tdx::VerifierCache cache;
  const UnixSeconds day = 86400;
  std::size_t valid = 0;
  for (const Case& one : cases) {
    if (one.text("verdict") != "valid") continue;
    ++valid;
    EXPECT_FALSE(judge_tdx(one.input(), cache).error) << one.id;  // it is remembered at a good time
    for (const UnixSeconds offset : {400 * day, -400 * day, 20000 * day, -20000 * day, 31 * day, -31 * day}) {
      EvidenceInput input = one.input();
      input.time += offset;
      const EvidenceVerdict cached = judge_tdx(input, cache);
      expect_same(cached, judge_tdx(input), one.id);
      if (offset >= 400 * day || offset <= -400 * day) EXPECT_TRUE(cached.error) << one.id << " " << offset;
    }
  }
  EXPECT_GT(valid, 0U);
}

}  // namespace
}  // namespace eml
