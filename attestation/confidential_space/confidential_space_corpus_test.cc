// All open cases of the corpus, and mutations of its tokens.
#include <gtest/gtest.h>

#include <iostream>
#include <random>
#include <set>

#include "attestation/judge.h"
#include "encoding/base64.h"
#include "tests/support/evidence_corpus.h"
#include "tests/support/mutations.h"
#include "tests/support/shared_corpus.h"

namespace eml {
namespace {

TEST(ConfidentialSpaceCorpus, EveryOpenCaseAgreesAndTheErrorClassInNineteenOfTwenty) {
  if (!test::has_shared_corpus()) GTEST_SKIP() << test::no_shared_corpus();
  const auto tally = test::tally_cases(test::evidence_cases("confidential_space"), judge_confidential_space);
  EXPECT_GE(tally.graded, 150U);
  for (const auto& line : tally.differences) ADD_FAILURE() << line;
  for (const auto& line : tally.class_differences) std::cout << line << '\n';
  EXPECT_LE(tally.class_differences.size() * 20, tally.invalid);
}

// One change of a token: a character, a cut, a doubled or moved piece, a part of another token, or a member of header
// or claims.
std::string mutate(const std::string& token, const std::string& other, std::mt19937& random) {
  const auto below = [&](std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random);
  };
  const auto part = [](const std::string& text, int index) {
    const std::size_t first = text.find('.');
    const std::size_t last = text.rfind('.');
    return index == 0   ? text.substr(0, first)
           : index == 1 ? text.substr(first + 1, last - first - 1)
                        : text.substr(last + 1);
  };
  std::string out = token;
  const std::size_t at = below(token.size());
  const auto change_json = [&](int index) {
    const auto bytes = from_base64url(part(token, index));
    auto json = bytes ? parse_json(*bytes) : Result<Json>(Json());
    if (!json || !json->is_object() || json->get_object().empty()) return token + "x";
    JsonObject& object = json->get_object();
    const std::string name(std::next(object.begin(), static_cast<std::ptrdiff_t>(below(object.size())))->key());
    const Json values[] = {Json(nullptr), Json("none"), Json(1), Json(JsonArray{}), Json(true), Json(kUnixSecondsMax)};
    if (below(3) == 0)
      object.erase(name);
    else
      object[below(4) == 0 ? "jwk" : name] = values[below(6)];
    const std::string changed = base64url(as_bytes(compact_json(*json)));
    return index == 0 ? changed + '.' + part(token, 1) + '.' + part(token, 2)
                      : part(token, 0) + '.' + changed + '.' + part(token, 2);
  };
  switch (below(8)) {
    case 0:
      out[at] = static_cast<char>(below(256));
      break;
    case 1:
      out[at] = static_cast<char>(out[at] ^ (1 << below(8)));
      break;
    case 2:
      out.resize(at);
      break;
    case 3:
      out.insert(at, out.substr(below(token.size()), below(64)));
      break;
    case 4:
      out.erase(at, 1 + below(64));
      break;
    case 5:
      out = part(below(2) == 0 ? token : other, 0) + '.' + part(below(2) == 0 ? token : other, 1) + '.' +
            part(below(2) == 0 ? token : other, 2);
      break;
    case 6:
      out = change_json(0);
      break;
    default:
      out = change_json(1);
      break;
  }
  return out;
}

// A token that Google did not write is never valid, whatever the base was.
TEST(ConfidentialSpaceCorpus, NoMutationOfAnyTokenIsValid) {
  if (!test::has_shared_corpus()) GTEST_SKIP() << test::no_shared_corpus();
  const auto cases = test::evidence_cases("confidential_space");
  ASSERT_FALSE(cases.empty());
  std::set<std::string> genuine;
  for (const auto& one : cases) genuine.emplace(as_text(one.input.view().evidence));
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same mutations in every run
  const std::size_t count = test::mutation_count(2000);
  std::size_t judged = 0;
  for (std::size_t i = 0; i < count; ++i) {
    EvidenceInput input = cases[i % cases.size()].input.view();
    const std::string token(as_text(input.evidence));
    if (token.empty()) continue;
    const std::string other(as_text(cases[(i * 7) % cases.size()].input.view().evidence));
    const std::string mutated = mutate(token, other, random);
    if (genuine.contains(mutated)) continue;
    input.evidence = as_bytes(mutated);
    EXPECT_TRUE(judge_confidential_space(input).error) << mutated;
    ++judged;
  }
  EXPECT_GT(judged, count * 3 / 4);
}

}  // namespace
}  // namespace eml
