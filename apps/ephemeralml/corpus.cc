// corpus: judges every case of an evidence corpus and says where the verdicts differ from those that are stated.
#include <algorithm>
#include <filesystem>

#include "apps/ephemeralml/command.h"
#include "attestation/corpus.h"
#include "attestation/kinds.h"
#include "base/files.h"

namespace eml::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kCasesBytesMax = std::size_t{64} << 20;
constexpr std::size_t kFileBytesMax = std::size_t{16} << 20;

struct Tally {
  std::uint64_t passed = 0;
  std::uint64_t failed = 0;
  std::uint64_t same_class = 0;
};

// A case that could not be judged at all: a kind that is not here, or a file that cannot be read.
CorpusOutcome not_judged(std::string_view error) {
  return {.got = "invalid", .error = std::string(error), .difference = "could not be judged: " + std::string(error)};
}

CorpusOutcome judge(const CorpusCase& corpus_case, const fs::path& base) {
  const KindVerifier* const kind = kind_verifier(corpus_case.kind);
  if (kind == nullptr) return not_judged("unknown_kind");
  const auto read = [&](const std::string& path) { return read_file((base / path).string(), kFileBytesMax); };
  const auto input = CorpusInput::read(corpus_case, read);
  if (!input) return not_judged(input.error().code().name);
  return compare_outcome(corpus_case, kind->judge(input->view()));
}

void judge_all(const std::vector<CorpusCase>& cases, const fs::path& base, Tally& tally) {
  for (const CorpusCase& corpus_case : cases) {
    const CorpusOutcome outcome = judge(corpus_case, base);
    say(compact_json(outcome_json(corpus_case, outcome)));
    if (!corpus_case.is_graded()) continue;
    ++(outcome.agrees ? tally.passed : tally.failed);
    if (outcome.class_agrees) ++tally.same_class;
    if (!outcome.difference.empty()) complain_usage(corpus_case.kind + " " + corpus_case.id, outcome.difference);
  }
}

// Sorted, so that two runs print the same lines.
std::vector<fs::path> files_of_cases(const fs::path& directory, std::error_code& error) {
  std::vector<fs::path> out;
  for (auto it = fs::recursive_directory_iterator(directory, error); !error && it != fs::recursive_directory_iterator();
       it.increment(error)) {
    if (it->path().filename().string().ends_with("cases.json")) out.push_back(it->path());
  }
  std::ranges::sort(out);
  return out;
}

int run(const std::string& directory) {
  std::error_code error;
  const fs::path root = fs::canonical(directory, error);
  const auto files = error ? std::vector<fs::path>() : files_of_cases(root, error);
  if (error) return complain_usage(directory, "is not a directory that can be read");
  if (files.empty()) return complain_usage(directory, "holds no file *cases.json");
  Tally tally;
  for (const fs::path& file : files) {
    const auto json = read_file(file.string(), kCasesBytesMax);
    if (!json) return complain(file.string(), json.error());
    const auto cases = decode_corpus_cases(*json, file.parent_path().filename().string());
    if (!cases) return complain(file.string(), cases.error());
    judge_all(*cases, root.parent_path(), tally);
  }
  note("the error class agrees in " + std::to_string(tally.same_class) + " of " +
       std::to_string(tally.passed + tally.failed));
  say(std::to_string(tally.passed) + " passed, " + std::to_string(tally.failed) + " failed");
  return tally.failed == 0 && tally.passed > 0 ? kDone : kNotAcceptable;
}

}  // namespace

void add_corpus(CLI::App& app, int& status) {
  auto directory = std::make_shared<std::string>();
  auto* command = app.add_subcommand("corpus", "Judge every case of an evidence corpus, offline");
  command->add_option("DIR", *directory, "Directory with KIND/*cases.json; their paths start at DIR's parent")
      ->required();
  command->footer(
      "One JSON line a case, then the counts; what differs goes to stderr. Exit 0 only if all graded cases agree.\n"
      "Example: ephemeralml corpus corpus/open");
  command->callback([directory, &status] { status = run(*directory); });
}

}  // namespace eml::cli
