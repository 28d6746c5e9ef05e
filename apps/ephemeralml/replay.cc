// replay: runs the inference behind a receipt again and demands the same bits.
// Source: docs/spec/replay.md.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <future>
#include <thread>

#include "api/embeddings.h"
#include "apps/ephemeralml/command.h"
#include "apps/ephemeralml/dossier_files.h"
#include "apps/ephemeralml/kernels_option.h"
#include "apps/ephemeralml/replay_model.h"
#include "attestation/bundle.h"
#include "base/clock.h"
#include "encoding/wiping_resource.h"
#include "engine/batcher.h"
#include "engine/bit_difference.h"

namespace eml::cli {
namespace {

constexpr ErrorCode kReplayTokens{ErrorClass::kUnauthentic, "replay-tokens-differ"};
constexpr ErrorCode kReplayShape{ErrorClass::kUnauthentic, "replay-shape-differs"};
constexpr ErrorCode kReplayBits{ErrorClass::kUnauthentic, "replay-bits-differ"};

struct Options {
  DossierOptions dossier;
  ReplayModelOptions model;
  std::string kernels;
  bool json = false;
};

struct Line {
  std::string_view id;
  Literal title;
};
constexpr Line kDossier{"replay-dossier", "the dossier verifies"};
constexpr Line kModel{"replay-model", "the model is the receipt's"};
constexpr Line kProfile{"replay-profile", "the numerics profile is known here"};
constexpr Line kTokens{"replay-tokens", "the texts have as many tokens"};
constexpr Line kNumbers{"replay-numbers", "the numbers are the same bits"};
constexpr Line kLines[] = {kDossier, kModel, kProfile, kTokens, kNumbers};

// Where the numbers differ first.
struct Distance {
  std::size_t text = 0;
  std::size_t element = 0;
  std::size_t count = 0;
  std::uint32_t ulps = 0;
  double absolute = 0;
};

// Report is all that is shown. A line that is not there was not reached.
struct Report {
  Checks lines;
  bool policy = false;
  bool evaluation = false;
  std::string model_hash;
  std::string numerics;
  std::string served_with;
  std::string kernels;
  std::size_t texts = 0;
  std::optional<Distance> distance;

  void passed(const Line& line, std::string detail = {}) {
    pass(lines, line.id, line.title, Voucher::kVerifiedHere, std::move(detail));
  }
  void failed(const Line& line, const Error& error, std::string detail = {}) {
    fail_check(lines, line.id, line.title, Voucher::kVerifiedHere, error, std::move(detail));
  }
  void not_checked(const Line& line, std::string why) {
    lines.push_back({line.id, line.title, Outcome::kNotChecked, Voucher::kVerifiedHere, std::nullopt, std::move(why)});
  }
  void complete() {
    for (std::size_t i = lines.size(); i < std::size(kLines); ++i) not_checked(kLines[i], "a line before it failed");
  }
  bool has(Outcome outcome) const { return std::ranges::find(lines, outcome, &Check::outcome) != lines.end(); }
  int exit_status() const {
    return has(Outcome::kFailed) ? kNotAcceptable : has(Outcome::kNotChecked) ? kFailed : kDone;
  }
};

// Printed text may come from a document of somebody else's.
std::string printable(std::string text) {
  std::ranges::replace_if(text, [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return text;
}

const Check& first_with(const Report& report, Outcome outcome) {
  return *std::ranges::find(report.lines, outcome, &Check::outcome);
}

std::string summary_of(const Report& report) {
  if (report.has(Outcome::kFailed)) {
    return fmt::format("NOT REPLAYED: do not rely on these numbers. First: {}.",
                       first_with(report, Outcome::kFailed).error->what());
  }
  if (report.has(Outcome::kNotChecked)) {
    return fmt::format("NOT JUDGED: nothing failed, but the numbers were not compared. First: {}.",
                       printable(first_with(report, Outcome::kNotChecked).detail));
  }
  std::string out = "SAME BITS: the receipt's model gives exactly these numbers here.";
  if (!report.policy) return out + " Whose evidence it is was NOT judged: there is no policy.";
  return report.evaluation ? out + " The evidence is for evaluation only." : out;
}

std::string_view verdict_of(const Report& report) {
  switch (report.exit_status()) {
    case kDone:
      return "same bits";
    case kNotAcceptable:
      return "not replayed";
    default:
      return "not judged";
  }
}

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

JsonObject as_json(const Report& report) {
  JsonArray lines;
  for (const Check& line : report.lines) {
    JsonObject out{{"id", line.id}, {"title", line.title.view()}, {"outcome", to_string(line.outcome)}};
    out["detail"] = printable(line.detail);
    out["error"] = line.error ? Json(line.error->code().name) : Json(nullptr);
    lines.push_back(std::move(out));
  }
  JsonObject out{{"verdict", verdict_of(report)}, {"exit_code", report.exit_status()}, {"summary", summary_of(report)}};
  out["policy"] = report.policy;
  out["evaluation"] = report.evaluation;
  out["model_hash"] = text_or_null(report.model_hash);
  out["numerics"] = text_or_null(report.numerics);
  out["served_with"] = text_or_null(report.served_with);
  out["kernels"] = text_or_null(report.kernels);
  out["texts"] = report.texts;
  out["difference"] = nullptr;
  if (report.distance) {
    const Distance& at = *report.distance;
    out["difference"] = JsonObject{{"text", at.text},
                                   {"element", at.element},
                                   {"ulps", at.ulps},
                                   {"absolute", at.absolute},
                                   {"elements_that_differ", at.count}};
  }
  out["checks"] = std::move(lines);
  return out;
}

void print(const Report& report) {
  say(summary_of(report));
  for (const Check& line : report.lines) {
    std::string why = line.error ? line.error->to_string() : "";
    if (line.error && !line.detail.empty()) why += "; ";
    why += line.detail;
    say(fmt::format("  {:<13}{}{}{}", to_string(line.outcome), line.title.view(), why.empty() ? "" : ": ",
                    printable(why)));
  }
}

// Without a policy nobody can say whether the evidence is acceptable, or evaluation is; the rest must pass all the
// same.
void judge_dossier(Report& report, const DossierVerdict& verdict) {
  const bool judged = report.policy;
  for (const Check& check : verdict.checks) {
    if (check.outcome != Outcome::kFailed || (!judged && check.id == "receipt-policy")) continue;
    return report.failed(kDossier, *check.error, std::string(check.title.view()));
  }
  if (judged && verdict.verdict != Verdict::kVerified) {
    return report.not_checked(kDossier, "a required line could not be checked; `verify` says which");
  }
  report.passed(kDossier, judged ? "" : "the receipt and its bodies; not the evidence, for which there is no policy");
}

// Replay is one run of the command; what it learns goes into the report.
class Replay {
 public:
  Replay(const Options& options, const DossierFiles& files) : options_(options), files_(files) {}

  // run returns an exit status if something could not be read and was complained of; else the report is to be shown.
  std::optional<int> run(Report& report) {
    report.policy = files_.policy.has_value();
    const DossierVerdict verdict = verify_dossier(files_.inputs, files_.expectations);
    report.evaluation = verdict.evaluation;
    judge_dossier(report, verdict);
    if (!verdict.receipt) return std::nullopt;
    report.model_hash = hex(verdict.receipt->claims().model_hash);
    if (!files_.inputs.request || !files_.inputs.response) {
      report.not_checked(kModel, "a body is not there: the dossier has its hash alone; give --request and --response");
      return std::nullopt;
    }
    auto answer = decode_embedding_response(*files_.inputs.response, &memory_);
    if (!answer) {
      report.not_checked(kModel, "the response is no answer of this API: " + answer.error().to_string());
      return std::nullopt;
    }
    return run_model(report, verdict.receipt->claims().model_hash, *answer);
  }

 private:
  std::vector<ByteView> manifests() {
    std::vector<ByteView> out;
    if (files_.inputs.manifest) out.push_back(*files_.inputs.manifest);
    if (!files_.inputs.bundle) return out;
    if (auto bundle = decode_bundle(*files_.inputs.bundle)) bundle_ = std::move(*bundle);
    out.insert(out.end(), bundle_.manifests.begin(), bundle_.manifests.end());
    return out;
  }

  std::optional<int> run_model(Report& report, const Hash32& hash, const EmbeddingAnswer& answer) {
    auto opened = open_replay_model(options_.model, hash, manifests());
    if (!opened) {
      if (!opened.error().judged) return complain(opened.error().where, opened.error().error), kFailed;
      report.failed(kModel, opened.error().error, opened.error().where);
      return std::nullopt;
    }
    report.passed(kModel, report.model_hash);
    report.numerics = answer.facts.numerics;
    report.served_with = answer.facts.kernels;
    auto model = EmbeddingModel::load(std::move(opened->files),
                                      {.precision = answer.facts.numerics, .kernels = options_.kernels});
    if (!model && model.error().code() == kPrecisionUnknown) {
      report.not_checked(kProfile, "this program does not know the profile " + answer.facts.numerics);
      return std::nullopt;
    }
    if (!model) return complain(options_.model.path, model.error()), kFailed;
    report.kernels = (*model)->kernels();
    report.passed(kProfile, fmt::format("{}, here with kernels {}, served with {}", report.numerics, report.kernels,
                                        report.served_with));
    compare(report, *model, answer);
    return std::nullopt;
  }

  void compare(Report& report, const std::shared_ptr<const EmbeddingModel>& model, const EmbeddingAnswer& answer) {
    auto request = decode_embedding_request(*files_.inputs.request, &memory_, model->dimensions(), kDossierRequestMax);
    if (!request) return report.not_checked(kTokens, "the request is none of this API: " + request.error().to_string());
    report.texts = request->inputs.size();
    auto outcome = compute(model, request->inputs);
    if (!outcome) return report.not_checked(kTokens, outcome.error().to_string());
    if (outcome->tokens != answer.prompt_tokens) {
      report.failed(kTokens, Error(kReplayTokens, "the answer counts other tokens (here, there)", outcome->tokens,
                                   answer.prompt_tokens));
    } else {
      report.passed(kTokens, std::to_string(outcome->tokens));
    }
    compare_numbers(report, model->dimensions(), *outcome, answer);
  }

  static Result<EmbedOutcome> compute(const std::shared_ptr<const EmbeddingModel>& model,
                                      const std::vector<std::string_view>& texts) {
    TokenBatch batch;
    TokenIds ids;
    TokenizerScratch scratch;
    for (const std::string_view text : texts) {
      EML_CHECK(model->tokenize(ids, scratch, text));
      batch.add(ids);
    }
    EML_TRY(const auto batcher,
            Batcher::start(model, system_clock(), {.threads = std::max(1U, std::thread::hardware_concurrency())}));
    std::promise<EmbedOutcome> done;
    auto completion = [&done](EmbedOutcome&& outcome) { done.set_value(std::move(outcome)); };
    EML_TRY(auto ticket, batcher->submit(1, std::move(batch), std::move(completion)));
    static_cast<void>(ticket);
    EmbedOutcome outcome = done.get_future().get();
    batcher->drain();
    if (!outcome.status) return std::unexpected(outcome.status.error());
    return outcome;
  }

  static void compare_numbers(Report& report, std::size_t width, const EmbedOutcome& here,
                              const EmbeddingAnswer& there) {
    const bool wide = std::ranges::all_of(there.embeddings, [width](const auto& one) { return one.size() == width; });
    if (!wide || there.embeddings.size() * width != here.embeddings.size()) {
      return report.failed(kNumbers, Error(kReplayShape, "the answer has another number of embeddings, or of elements",
                                           here.embeddings.size() / width, there.embeddings.size()));
    }
    WipingVector<float> recorded;
    recorded.reserve(here.embeddings.size());
    for (const auto& one : there.embeddings) recorded.insert(recorded.end(), one.begin(), one.end());
    const auto found = compare_bits(recorded, here.embeddings);
    if (!found) return report.passed(kNumbers, fmt::format("{} of {}", recorded.size(), recorded.size()));
    report.distance = {.text = found->first / width,
                       .element = found->first % width,
                       .count = found->count,
                       .ulps = found->ulps,
                       .absolute = std::abs(double{found->wanted} - double{found->got})};
    report.failed(kNumbers, Error(kReplayBits, "the numbers differ"),
                  fmt::format("first in text {}, element {}: {} ulp, {:.3g} apart; {} of {} elements differ",
                              report.distance->text, report.distance->element, found->ulps, report.distance->absolute,
                              found->count, recorded.size()));
  }

  const Options& options_;
  const DossierFiles& files_;
  WipingResource memory_;
  EvidenceBundle bundle_;
};

int run(Options& options) {
  const bool named = !options.kernels.empty();
  if (!named) options.kernels = forced_kernels();
  if (const int refused = expect_kernels(named ? "--kernels" : "EML_KERNELS", options.kernels); refused != kDone) {
    return refused;
  }
  DossierFiles files;
  if (auto read = read_dossier_files(options.dossier, files); !read) {
    complain(read.error().where, read.error().error);
    return kFailed;
  }
  Report report;
  if (const auto failed = Replay(options, files).run(report)) return *failed;
  report.complete();
  options.json ? print_json(as_json(report)) : print(report);
  return report.exit_status();
}

}  // namespace

void add_replay(CLI::App& app, int& status) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("replay", "Run the inference behind a receipt again and demand the same bits");
  add_dossier_options(*command, options->dossier);
  command->add_option("--model", options->model.path, "The model: a package, or a directory of plain files")
      ->required();
  command->add_option("--key-file", options->model.key_file, "Broker's key file, which opens an encrypted package");
  command->add_option("--kernels", options->kernels, "Kernels to run with, instead of the best (`ephemeralml cpu`)");
  command->add_flag("--json", options->json, "One JSON document");
  command->footer(
      "Exit status: 0 the same bits, 1 something differs or does not verify, 2 could not be judged.\n"
      "Example: ephemeralml replay answer.dossier --model models/all-minilm-l6-v2 --policy policy.json");
  command->callback([options, &status] { status = run(*options); });
}

}  // namespace eml::cli
