// run_corpus_kind judges every case of one kind of the shared evidence corpus and says what did not agree.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "attestation/corpus.h"
#include "base/result.h"
#include "tests/support/shared.h"

namespace eml::test {

struct CorpusTally {
  bool found = false;  // the corpus is there
  std::size_t graded = 0;
  std::size_t classes = 0;  // graded cases that are invalid
  std::vector<std::string> differences;
  std::vector<std::string> class_differences;
};

inline Result<Bytes> read_corpus_file(const std::string& path) {
  constexpr ErrorCode kMissing{ErrorClass::kUnavailable, "corpus-file-missing"};
  auto bytes = read_bytes(shared_dir() / "corpus" / path);
  if (!bytes) return fail(kMissing, "a file of the corpus is not there");
  return *std::move(bytes);
}

inline void tally_case(CorpusTally& tally, const CorpusCase& one, EvidenceVerdict (*judge)(const EvidenceInput&)) {
  const auto input = CorpusInput::read(one, read_corpus_file);
  if (!input) {
    tally.differences.push_back(one.id + ": " + input.error().to_string());
    return;
  }
  const EvidenceVerdict verdict = judge(input->view());
  if (!one.is_graded()) return;
  ++tally.graded;
  const CorpusOutcome outcome = compare_outcome(one, verdict);
  if (!outcome.agrees) {
    tally.differences.push_back(one.id + ": got " + outcome.got + " " + outcome.error + " " + outcome.difference);
  }
  if (one.verdict() != "invalid") return;
  ++tally.classes;
  if (!outcome.class_agrees) tally.class_differences.push_back(one.id + ": got " + outcome.error);
}

inline CorpusTally run_corpus_kind(const std::string& kind, EvidenceVerdict (*judge)(const EvidenceInput&)) {
  CorpusTally tally;
  for (const char* file : {"cases.json", "neg_cases.json", "synth_cases.json"}) {
    const auto bytes = read_bytes(shared_dir() / "corpus" / "open" / kind / file);
    if (!bytes) continue;
    tally.found = true;
    const auto cases = decode_corpus_cases(*bytes, kind);
    if (!cases) {
      tally.differences.push_back(cases.error().to_string());
      continue;
    }
    for (const CorpusCase& one : *cases) tally_case(tally, one, judge);
  }
  return tally;
}

}  // namespace eml::test
