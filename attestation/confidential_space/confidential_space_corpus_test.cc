// All open cases of the corpus, and mutations of its tokens.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "attestation/corpus.h"
#include "attestation/judge.h"
#include "encoding/base64.h"
#include "tests/support/shared.h"

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
  if (cases.empty()) GTEST_SKIP() << "no shared corpus";
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

}  // namespace
}  // namespace eml
