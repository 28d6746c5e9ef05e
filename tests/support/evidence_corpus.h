// What a test of one kind needs of the shared evidence corpus: its cases with their files. They are data beside the
// source tree, never in it; without them there are no cases, and the test is skipped.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "attestation/corpus.h"
#include "tests/support/shared.h"

namespace eml::test {

struct EvidenceCase {
  CorpusCase about;
  CorpusInput input;
};

// A named file that is not there is a broken corpus, not a skipped case.
inline Result<Bytes> read_evidence_file(const std::string& path) {
  auto bytes = read_bytes(shared_dir() / "corpus" / path);
  if (!bytes) throw std::runtime_error("the corpus lacks " + path);
  return *std::move(bytes);
}

inline std::vector<EvidenceCase> evidence_cases(const std::string& kind) {
  std::vector<EvidenceCase> out;
  for (const char* name : {"cases.json", "neg_cases.json", "synth_cases.json"}) {
    const auto json = read_bytes(shared_dir() / "corpus" / "open" / kind / name);
    if (!json) continue;
    const auto decoded = decode_corpus_cases(*json, kind);
    for (const CorpusCase& one : decoded.value()) {
      out.push_back({.about = one, .input = CorpusInput::read(one, read_evidence_file).value()});
    }
  }
  return out;
}

struct EvidenceTally {
  std::size_t graded = 0;
  std::size_t invalid = 0;  // graded cases that are invalid
  std::vector<std::string> differences;
  std::vector<std::string> class_differences;
};

inline EvidenceTally tally_cases(const std::vector<EvidenceCase>& cases,
                                 EvidenceVerdict (*judge)(const EvidenceInput&)) {
  EvidenceTally out;
  for (const EvidenceCase& one : cases) {
    const EvidenceVerdict verdict = judge(one.input.view());
    if (!one.about.is_graded()) continue;
    ++out.graded;
    const CorpusOutcome outcome = compare_outcome(one.about, verdict);
    if (one.about.verdict() == "invalid") ++out.invalid;
    const std::string line = one.about.id + ": " + outcome.difference;
    if (!outcome.agrees) out.differences.push_back(line);
    if (outcome.agrees && !outcome.class_agrees && verdict.error) out.class_differences.push_back(line);
  }
  return out;
}

}  // namespace eml::test
