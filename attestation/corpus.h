// CorpusCase is one case of an evidence corpus: evidence, collateral, time, requirements, and what is to come of it.
// Files are read by the caller. The form: a JSON array of cases in KIND/*cases.json, with paths from the corpus's root.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attestation/judge.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "encoding/json.h"

namespace eml {

inline constexpr ErrorCode kCorpusMalformed{ErrorClass::kMalformed, "corpus-malformed"};

struct CorpusCase {
  std::string id;
  std::string kind;
  std::optional<std::string> evidence;            // path; nothing for a case of certificates or a RIM alone
  std::map<std::string, std::string> collateral;  // name to path; one that is null is absent
  UnixSeconds time = 0;                           // 0 if the case needs none
  std::optional<Json> requirements;
  bool synthetic = false;  // then the collateral's own root, CA or keys are the only trust anchor
  bool either = false;     // a strict and a lenient verifier may both be right
  JsonObject expect;

  std::string_view verdict() const;
  // is_graded: the verdict is "valid" or "invalid", and not `either`.
  bool is_graded() const;
};

// decode_corpus_cases reads one file of cases; `kind` is its folder's name. kCorpusMalformed.
Result<std::vector<CorpusCase>> decode_corpus_cases(ByteView json, std::string_view kind);

// ReadFile returns the bytes of a path of a case.
using ReadFile = std::function<Result<Bytes>(const std::string& path)>;

// CorpusInput owns what an EvidenceInput views.
class CorpusInput {
 public:
  // read: kCorpusMalformed, or what `read_file` fails with.
  static Result<CorpusInput> read(const CorpusCase& corpus_case, const ReadFile& read_file);
  EvidenceInput view() const;

 private:
  Bytes evidence_;
  Collateral collateral_;
  UnixSeconds time_ = 0;
  std::optional<Json> requirements_;
  std::optional<Bytes> root_;
};

struct CorpusOutcome {
  bool agrees = false;        // verdict, and status, advisories and fields where they are stated
  bool class_agrees = false;  // the error class too, or one of `error_also`
  std::string got;            // "valid" or "invalid"
  std::string error;          // class; empty if valid
  std::string difference;     // for a person: what does not agree; empty if all does
};

// compare_outcome says whether a verdict is what the case expects.
CorpusOutcome compare_outcome(const CorpusCase& corpus_case, const EvidenceVerdict& verdict);

// outcome_json is {"id","kind","expect","got","error","agree"}; `error` is null if valid, `agree` if not graded.
JsonObject outcome_json(const CorpusCase& corpus_case, const CorpusOutcome& outcome);

}  // namespace eml
