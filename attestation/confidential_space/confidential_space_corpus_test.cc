// All open cases of the corpus, and mutations of its tokens.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <set>

#include "attestation/corpus.h"
#include "attestation/judge.h"
#include "encoding/base64.h"
#include "tests/support/shared.h"
#include "tests/support/shared_corpus.h"

namespace eml {
namespace {

constexpr const char* kFiles[] = {"cases.json", "neg_cases.json", "synth_cases.json"};

Result<Bytes> read_corpus(const std::string& path) {
  auto bytes = test::read_bytes(test::shared_dir() / "corpus" / path);
  if (!bytes) return fail(kInternalError, "a file of the corpus is missing");
  return std::move(*bytes);
}

std::vector<CorpusCase> open_cases() {
  std::vector<CorpusCase> out;
  for (const char* file : kFiles) {
    const auto json = read_corpus(std::string("open/confidential_space/") + file);
    if (!json) return {};
    auto cases = decode_corpus_cases(*json, "confidential_space");
    EXPECT_TRUE(cases) << file;
    if (cases) out.insert(out.end(), cases->begin(), cases->end());
  }
  return out;
}

TEST(ConfidentialSpaceCorpus, EveryOpenCaseAgreesAndTheErrorClassInNineteenOfTwenty) {
  const auto cases = open_cases();
  if (!test::has_shared_corpus()) GTEST_SKIP() << test::no_shared_corpus();
  ASSERT_FALSE(cases.empty());
  std::size_t graded = 0;
  std::size_t classes = 0;
  for (const CorpusCase& corpus_case : cases) {
    const auto input = CorpusInput::read(corpus_case, read_corpus);
    ASSERT_TRUE(input) << corpus_case.id;
    const auto outcome = compare_outcome(corpus_case, judge_confidential_space(input->view()));
    if (!corpus_case.is_graded()) continue;
    ++graded;
    EXPECT_TRUE(outcome.agrees) << corpus_case.id << ": " << outcome.difference;
    if (outcome.class_agrees) {
      ++classes;
    } else {
      std::cout << corpus_case.id << ": " << outcome.difference << '\n';
    }
  }
  EXPECT_GE(graded, 150U);
  EXPECT_GE(classes * 20, graded * 19) << classes << " of " << graded;
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

// How many changes are tried: 2,000, or what EML_MUTATIONS says (100,000 before a release).
std::size_t mutation_count() {
  const char* const wanted = std::getenv("EML_MUTATIONS");  // NOLINT(concurrency-mt-unsafe)
  return wanted == nullptr ? 2000 : std::stoul(wanted);
}

// A token that Google did not write is never valid, whatever the base was.
TEST(ConfidentialSpaceCorpus, NoMutationOfAnyTokenIsValid) {
  const auto cases = open_cases();
  if (!test::has_shared_corpus()) GTEST_SKIP() << test::no_shared_corpus();
  ASSERT_FALSE(cases.empty());
  std::vector<CorpusInput> inputs;
  std::set<std::string> genuine;
  for (const CorpusCase& corpus_case : cases) {
    inputs.push_back(CorpusInput::read(corpus_case, read_corpus).value());
    genuine.emplace(as_text(inputs.back().view().evidence));
  }
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same mutations in every run
  std::size_t judged = 0;
  for (std::size_t i = 0; i < mutation_count(); ++i) {
    EvidenceInput input = inputs[i % inputs.size()].view();
    const std::string token(as_text(input.evidence));
    if (token.empty()) continue;
    const std::string other(as_text(inputs[(i * 7) % inputs.size()].view().evidence));
    const std::string mutated = mutate(token, other, random);
    if (genuine.contains(mutated)) continue;
    input.evidence = as_bytes(mutated);
    EXPECT_TRUE(judge_confidential_space(input).error) << mutated;
    ++judged;
  }
  EXPECT_GT(judged, mutation_count() * 3 / 4);
}

}  // namespace
}  // namespace eml
