// infer: one request, or a load, over attested channels.
#include <fmt/format.h>

#include <algorithm>

#include "apps/ephemeralml/command.h"
#include "apps/ephemeralml/load.h"
#include "attester/local_attester.h"
#include "base/files.h"
#include "crypto/key_file.h"
#include "encoding/utf8.h"
#include "engine/tokenizer.h"
#include "net/http.h"
#include "package/manifest.h"

namespace eml::cli {
namespace {

constexpr std::size_t kPolicyBytesMax = 1U << 20;
constexpr std::size_t kTextBytesMax = 4U << 20;  // a request has at most that
constexpr std::size_t kEmbeddingHead = 6;

struct Options {
  std::string server;
  std::string policy;
  std::string policy_key;
  std::string text;
  std::string file;
  std::string dash;
  std::string model;
  std::string nonce;
  std::string save;
  std::string format = "base64";
  std::uint64_t count = 1;
  std::uint32_t concurrency = 1;
  std::uint32_t channels = 1;
  bool has_text = false;
  bool fresh = false;
  bool json = false;
};

Result<Ed25519PublicKey> read_owner(const Options& options) {
  EML_TRY(const Bytes text, read_file(options.policy_key, kKeyFileMax));
  return decode_public_key_file(text, KeyPurpose::kPolicy);
}

Result<Policy> read_policy(const Options& options, const Ed25519PublicKey* owner) {
  EML_TRY(const Bytes bytes, read_file(options.policy, kPolicyBytesMax));
  return owner == nullptr ? Policy::decode(bytes) : Policy::decode_signed(bytes, *owner, 0);
}

Result<std::string> read_bytes(const Options& options) {
  if (options.has_text) return options.text;
  const std::string path = options.file.empty() ? "/dev/stdin" : options.file;
  if (options.file.empty()) {
    std::string text;
    char piece[65536];
    for (std::size_t n = std::fread(piece, 1, sizeof piece, stdin); n > 0;
         n = std::fread(piece, 1, sizeof piece, stdin)) {
      text.append(piece, n);
      if (text.size() > kTextBytesMax) return fail(kFileTooLarge, "standard input is too long for a request");
    }
    if (std::ferror(stdin) != 0) return fail(kFileUnreadable, "cannot be read");
    return text;
  }
  EML_TRY(const Bytes bytes, read_file(path, kTextBytesMax));
  return std::string(as_text(bytes));
}

Result<std::string> read_text(const Options& options) {
  EML_TRY(std::string text, read_bytes(options));
  if (!is_utf8(text)) return fail(kTextNotUtf8, "the text is not valid UTF-8");
  return text;
}

std::string text_source(const Options& options) {
  if (options.has_text) return "--text";
  return options.file.empty() ? "standard input" : options.file;
}

std::string receipt_id(const Answer& answer) { return format_cti(answer.receipt->claims().cti); }

std::string dossier_name(std::uint64_t number) { return fmt::format("{:06}.dossier", number); }

std::string embedding_head(const std::vector<float>& embedding) {
  std::string out = "[";
  for (std::size_t i = 0; i < std::min(kEmbeddingHead, embedding.size()); ++i)
    out += fmt::format("{:.6f}, ", embedding[i]);
  return out + fmt::format("...] ({} numbers)", embedding.size());
}

double ms(std::chrono::nanoseconds duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

void print_verified(const Client& client) {
  const TrustedPeer& peer = client.peer();
  for (const Check& check : client.checks()) {
    say(fmt::format("  {:<12} {}{}", to_string(check.outcome), check.title.view(),
                    check.detail.empty() ? "" : ": " + check.detail));
  }
  say(fmt::format("  evidence     {}, accepted by rule \"{}\"{}", to_string(peer.kind), peer.rule,
                  peer.evaluation ? ", EVALUATION: no hardware vouches for it" : ""));
  say(fmt::format("  model        {} {}, {}", client.model().id, client.model().version,
                  hex(client.model().model_hash)));
}

void print_answer(const Answered& answered, const std::string& saved) {
  const Answer& answer = answered.answer;
  say("embedding      " + embedding_head(answer.embedding->embeddings.front()));
  say(fmt::format("computed by    {}, numerics {}, kernels {}, {} tokens", answer.embedding->facts.engine,
                  answer.embedding->facts.numerics, answer.embedding->facts.kernels, answer.embedding->prompt_tokens));
  say("verified");
  print_verified(*answered.client);
  say(fmt::format("receipt        {} (signature, bodies, evidence, model, cleanup: all verified)", receipt_id(answer)));
  if (!saved.empty()) say("dossier        " + saved);
}

JsonObject answer_json(const Answered& answered, const std::string& saved) {
  const Answer& answer = answered.answer;
  JsonObject out;
  JsonArray numbers;
  for (const float value : answer.embedding->embeddings.front()) numbers.emplace_back(value);
  out["embedding"] = std::move(numbers);
  out["model"] = answer.embedding->model;
  out["numerics"] = answer.embedding->facts.numerics;
  out["kernels"] = answer.embedding->facts.kernels;
  out["tokens"] = answer.embedding->prompt_tokens;
  out["receipt"] = receipt_id(answer);
  out["sequence"] = answer.receipt->claims().sequence_number;
  out["rule"] = answered.client->peer().rule;
  out["evaluation"] = answered.client->peer().evaluation;
  out["latency_ms"] = ms(answered.latency);
  if (!saved.empty()) out["dossier"] = saved;
  return out;
}

void print_error(const Answered& answered) {
  complain(fmt::format("request {}", answered.number), *answered.answer.error);
  if (answered.answer.refusal) note("  the server's signed reason: " + answered.answer.refusal->reason);
}

JsonObject load_json(const LoadResult& result, const LoadPlan& plan) {
  std::vector<double> sorted = result.latencies_ms;
  std::ranges::sort(sorted);
  const double seconds = std::chrono::duration<double>(result.total).count();
  JsonObject out;
  out["requests"] = plan.count;
  out["failures"] = result.failures;
  out["rps"] = seconds > 0 ? static_cast<double>(sorted.size()) / seconds : 0.0;
  out["p50_ms"] = nearest_rank(sorted, 50);
  out["p95_ms"] = nearest_rank(sorted, 95);
  out["p99_ms"] = nearest_rank(sorted, 99);
  out["min_ms"] = sorted.empty() ? 0.0 : sorted.front();
  out["max_ms"] = sorted.empty() ? 0.0 : sorted.back();
  out["concurrency"] = std::uint64_t{plan.in_flight} * plan.channels;
  out["channels"] = plan.channels;
  out["total_s"] = seconds;
  out["percentiles"] = "nearest rank";
  out["sequences_complete"] = result.sequences_complete;
  out["bytes_sent"] = result.bytes_sent;
  out["bytes_received"] = result.bytes_received;
  out["connect_ms"] = ms(result.connect);
  out["handshake_ms"] = ms(result.handshake);
  return out;
}

void print_load(const LoadResult& result, const LoadPlan& plan) {
  std::vector<double> sorted = result.latencies_ms;
  std::ranges::sort(sorted);
  const double seconds = std::chrono::duration<double>(result.total).count();
  say(fmt::format("{} requests, {} failures, {:.3f} s, {:.1f} requests/s", plan.count, result.failures, seconds,
                  seconds > 0 ? static_cast<double>(sorted.size()) / seconds : 0.0));
  say(fmt::format("latency ms: p50 {:.3f}  p95 {:.3f}  p99 {:.3f}  min {:.3f}  max {:.3f} (nearest rank)",
                  nearest_rank(sorted, 50), nearest_rank(sorted, 95), nearest_rank(sorted, 99),
                  sorted.empty() ? 0.0 : sorted.front(), sorted.empty() ? 0.0 : sorted.back()));
  say(fmt::format("{} in flight over {} channel{}; every channel's receipts counted without a gap: {}",
                  std::uint64_t{plan.in_flight} * plan.channels, plan.channels, plan.channels == 1 ? "" : "s",
                  result.sequences_complete ? "yes" : "NO"));
}

// Printer shows each answer as the options want it, and saves its dossier.
class Printer {
 public:
  Printer(const Options& options, const LoadPlan& plan) : options_(options), single_(plan.count == 1) {}

  Status on_answer(Answered& answered) {
    if (answered.answer.error) {
      print_error(answered);
      return {};
    }
    std::string saved;
    if (!options_.save.empty()) {
      saved = options_.save + "/" + dossier_name(answered.number);
      EML_CHECK(save(saved, answered.answer.dossier.bytes()));
    }
    show(answered, saved);
    return {};
  }

  // could_not_save is the first failure to write a dossier; none is written after it.
  const std::optional<Error>& could_not_save() const { return could_not_save_; }

 private:
  Status save(const std::string& path, ByteView dossier) {
    if (could_not_save_) return std::unexpected(*could_not_save_);
    auto written = write_file(path, dossier, WriteMode::kPrivate);
    if (!written) {
      could_not_save_ = written.error();
      complain(path, written.error());
    }
    return written;
  }

  void show(const Answered& answered, const std::string& saved) const {
    if (single_ && options_.json) {
      print_json(answer_json(answered, saved));
    } else if (single_) {
      print_answer(answered, saved);
    } else if (!options_.json) {
      say(fmt::format("{:>6}  {:>9.3f} ms  receipt {}  sequence {}", answered.number, ms(answered.latency),
                      receipt_id(answered.answer), answered.answer.receipt->claims().sequence_number));
    }
  }

  const Options& options_;
  bool single_;
  std::optional<Error> could_not_save_;
};

int finish(const Options& options, const LoadPlan& plan, const LoadResult& result) {
  if (plan.count == 1 && result.failures == 0 && !options.json) {
    say(fmt::format("timings        connect {:.3f} ms, handshake with verification {:.3f} ms, request {:.3f} ms",
                    ms(result.connect), ms(result.handshake), result.latencies_ms.front()));
  } else if (plan.count > 1) {
    if (options.json) {
      print_json(load_json(result, plan));
    } else {
      print_load(result, plan);
    }
  }
  if (result.error) {
    const int status = complain(options.server, *result.error);
    if (result.error->code() == kConnectFailed) note("Is the server running, and is --server its address?");
    if (result.failures > 0) return status;
  }
  if (result.failures == 0 && !result.sequences_complete) {
    return complain(options.server, Error(kAnswerSequence, "the receipts of a channel have a gap"));
  }
  return result.failures == 0 ? kDone : kNotAcceptable;
}

// What the caller gave is no verdict about the server, whatever the class of the error.
int unusable(const std::string& where, const Error& error) {
  complain(where, error);
  return kFailed;
}

int run(const Options& options) {
  auto server = parse_endpoint(options.server);
  if (!server) return complain("--server", server.error());
  Result<Ed25519PublicKey> owner = Ed25519PublicKey{};
  if (!options.policy_key.empty()) owner = read_owner(options);
  if (!owner) return unusable(options.policy_key, owner.error());
  auto policy = read_policy(options, options.policy_key.empty() ? nullptr : &*owner);
  if (!policy) return unusable(options.policy, policy.error());
  auto text = read_text(options);
  if (!text) return complain(text_source(options), text.error());
  VerifiedBundleCache cache;
  LoadPlan plan{.server = *server,
                .client = {.policy = &*policy,
                           .verify_manifest = verify_manifest,
                           .freshness = options.fresh ? Freshness::kDemanded : Freshness::kAsPolicySays,
                           .model = options.model,
                           .cache = &cache},
                .text = std::move(*text),
                .nonce = std::nullopt,
                .format = options.format == "float" ? EmbeddingFormat::kFloat : EmbeddingFormat::kBase64,
                .count = options.count,
                .channels = std::min<std::uint32_t>(options.channels, static_cast<std::uint32_t>(options.count)),
                .keep = options.save.empty() ? Keep::kNothing : Keep::kDossier};
  plan.in_flight = std::max(1U, options.concurrency / plan.channels);
  if (!options.nonce.empty()) {
    plan.nonce = from_hex(options.nonce);
    if (!plan.nonce || plan.nonce->size() < 8 || plan.nonce->size() > 64) {
      return complain_usage("--nonce", "expected 8 to 64 bytes in hex");
    }
  }
  if (!options.save.empty()) {
    if (auto made = make_directory(options.save, DirectoryMode::kPrivate); !made)
      return complain(options.save, made.error());
  }
  if (policy->accepts_evaluation()) note(kLocalBanner);
  Printer printer(options, plan);
  const LoadResult result = run_load(plan, [&printer](Answered& answered) { return printer.on_answer(answered); });
  wipe(plan.text.data(), plan.text.size());
  const int status = finish(options, plan, result);
  return printer.could_not_save() ? kFailed : status;
}

}  // namespace

void add_infer(CLI::App& app, int& status) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("infer", "Ask for an embedding, or run a load, and verify all that comes back");
  command->add_option("--server", options->server, "HOST:PORT")->required();
  command->add_option("--policy", options->policy, "Which evidence is acceptable; read before anything is sent")
      ->required();
  command->add_option("--policy-key", options->policy_key, "Public key that must have signed the policy");
  auto* text = command->add_option("--text", options->text, "The text");
  auto* file = command->add_option("--file", options->file, "File with the text");
  auto* dash =
      command->add_option("INPUT", options->dash, "- reads the text from standard input")->check(CLI::IsMember({"-"}));
  text->excludes(file)->excludes(dash);
  file->excludes(dash);
  command->add_option("--count", options->count, "Requests")->check(CLI::Range(1, 1'000'000'000));
  command->add_option("--concurrency", options->concurrency, "Requests in flight, over all channels")
      ->check(CLI::Range(1, 65536));
  command->add_option("--channels", options->channels, "Channels to spread the requests over")
      ->check(CLI::Range(1, 4096));
  command->add_option("--save", options->save, "Directory that gets one dossier a request");
  command->add_flag("--fresh", options->fresh, "Demand fresh evidence on this channel before any text leaves");
  command->add_option("--model", options->model, "Model id; absent: the server's only one");
  command->add_option("--nonce", options->nonce, "Nonce for the receipt, 8 to 64 bytes in hex");
  command->add_option("--format", options->format, "Numbers on the wire: base64 or float")
      ->check(CLI::IsMember({"base64", "float"}))
      ->capture_default_str();
  command->add_flag("--json", options->json, "One JSON document");
  command->footer(
      "Exit status: 0 only if every request succeeded and every receipt verified.\n"
      "Example: ephemeralml infer --server 127.0.0.1:8443 --policy policy.json --text 'hello' --save dossiers");
  command->callback([options, text, file, dash, &status] {
    if (text->count() + file->count() + dash->count() != 1) throw CLI::RequiredError("one of --text, --file, -");
    options->has_text = text->count() == 1;
    status = run(*options);
  });
}

}  // namespace eml::cli
