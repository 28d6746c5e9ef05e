// verify: judges a receipt or a dossier, offline.
#include "apps/ephemeralml/command.h"
#include "attestation/policy.h"
#include "audit/dossier.h"
#include "audit/report.h"
#include "audit/verify_dossier.h"
#include "base/clock.h"
#include "base/files.h"
#include "crypto/key_file.h"
#include "package/manifest.h"

namespace eml::cli {
namespace {

constexpr std::size_t kPolicyBytesMax = 1U << 20;

constexpr ErrorCode kNothingToJudge{ErrorClass::kMalformed, "not-a-receipt"};

struct Options {
  std::string file;
  std::string key;
  std::string evidence;
  std::string request;
  std::string response;
  std::string cleanup;
  std::string manifest;
  std::string policy;
  std::string time;
  std::string nonce;
  std::string root;
  bool json = false;
};

// Files holds what the options name, for as long as the inputs view it.
struct Files {
  UserText main;
  std::optional<UserText> request;
  std::optional<UserText> response;
  std::optional<Bytes> evidence;
  std::optional<Bytes> cleanup;
  std::optional<Bytes> manifest;
  std::optional<Policy> policy;
  DossierInputs inputs;
  Expectations expectations;
};

struct Unreadable {
  std::string where;
  Error error;
};
using Read = std::expected<void, Unreadable>;

Read read_into(std::optional<Bytes>& out, const std::string& path, std::size_t bytes_max) {
  if (path.empty()) return {};
  auto bytes = read_file(path, bytes_max);
  if (!bytes) return std::unexpected(Unreadable{path, bytes.error()});
  out = std::move(*bytes);
  return {};
}

Read read_body(std::optional<UserText>& out, const std::string& path, std::size_t bytes_max) {
  std::optional<Bytes> bytes;
  if (auto read = read_into(bytes, path, bytes_max); !read) return read;
  if (!bytes) return {};
  out.emplace(ByteView(*bytes));
  wipe(*bytes);
  return {};
}

Result<Ed25519PublicKey> parse_key(const Bytes& text) {
  auto digits = as_text(text);
  while (!digits.empty() && (digits.back() == '\n' || digits.back() == '\r')) digits.remove_suffix(1);
  if (const auto raw = from_hex(digits)) {
    if (const auto key = to_array<32>(*raw)) return *key;
  }
  return decode_public_key_file(text, KeyPurpose::kBroker);
}

Read read_key(const Options& options, Files& files) {
  std::optional<Bytes> text;
  if (auto read = read_into(text, options.key, kKeyFileMax); !read || !text) return read;
  auto key = parse_key(*text);
  if (!key) return std::unexpected(Unreadable{options.key, key.error()});
  files.inputs.key = *key;
  return {};
}

Read read_policy(const Options& options, Files& files) {
  std::optional<Bytes> text;
  if (auto read = read_into(text, options.policy, kPolicyBytesMax); !read || !text) return read;
  auto policy = Policy::decode(*text);
  if (!policy) return std::unexpected(Unreadable{options.policy, policy.error()});
  files.policy.emplace(std::move(*policy));
  return {};
}

Read read_main(const Options& options, Files& files) {
  std::optional<UserText> bytes;
  if (auto read = read_body(bytes, options.file, kDossierBytesMax); !read) return read;
  files.main = std::move(*bytes);
  const FileKind kind = sniff_file(files.main.bytes());
  if (kind == FileKind::kUnknown || kind == FileKind::kBundle) {
    return std::unexpected(Unreadable{options.file, Error(kNothingToJudge, "neither a receipt nor a dossier")});
  }
  if (kind != FileKind::kDossier) {
    files.inputs.receipt = files.main.bytes();
    return {};
  }
  auto parts = decode_dossier(files.main.bytes());
  if (!parts) return std::unexpected(Unreadable{options.file, parts.error()});
  files.inputs = inputs_of(*parts);
  return {};
}

// What is named on the command line replaces what the dossier carries.
Read read_files(const Options& options, Files& files) {
  Read read = read_main(options, files);
  if (read) read = read_key(options, files);
  if (read) read = read_into(files.evidence, options.evidence, kBundleBytesMax);
  if (read) read = read_body(files.request, options.request, kDossierRequestMax);
  if (read) read = read_body(files.response, options.response, kDossierResponseMax);
  if (read) read = read_into(files.cleanup, options.cleanup, kReceiptBytesMax);
  if (read) read = read_into(files.manifest, options.manifest, kManifestBytesMax);
  if (read) read = read_policy(options, files);
  if (!read) return read;
  if (files.evidence) files.inputs.bundle = ByteView(*files.evidence);
  if (files.request) files.inputs.request = files.request->bytes();
  if (files.response) files.inputs.response = files.response->bytes();
  if (files.cleanup) files.inputs.cleanup = ByteView(*files.cleanup);
  if (files.manifest) files.inputs.manifest = ByteView(*files.manifest);
  files.expectations.verify_manifest = verify_manifest;
  if (files.policy) files.expectations.policy = &*files.policy;
  files.expectations.time = system_clock().now();
  return {};
}

int run(const Options& options) {
  Files files;
  if (auto read = read_files(options, files); !read) {
    complain(read.error().where, read.error().error);
    return kFailed;
  }
  if (!options.time.empty()) {
    auto time = parse_rfc3339(options.time);
    if (!time) return complain("--time", time.error());
    files.expectations.time = *time;
  }
  if (!options.nonce.empty()) {
    auto nonce = from_hex(options.nonce);
    if (!nonce) return complain_usage("--nonce", "expected hex digits");
    files.expectations.nonce = std::move(*nonce);
  }
  auto root = read_root(options.root);
  if (!root) {
    complain(options.root, root.error());
    return kFailed;
  }
  files.expectations.given_root = std::move(*root);
  const DossierVerdict verdict = verify_dossier(files.inputs, files.expectations);
  const auto text =
      options.json ? render_json(verdict) : render_text(verdict, colour_wanted() ? Colour::kAnsi : Colour::kNone);
  if (!write_stdout(text)) return complain_usage("standard output", "cannot be written");
  return exit_code(verdict.verdict);
}

}  // namespace

void add_verify(CLI::App& app, int& status) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("verify", "Judge a receipt or a dossier, offline");
  command->add_option("FILE", options->file, "Receipt or dossier")->required();
  command->add_option("--policy", options->policy, "Policy: which evidence is acceptable, and up to which root");
  command->add_option("--key", options->key, "Key that must have signed the receipt: 64 hex digits in a file");
  command->add_option("--evidence", options->evidence, "Evidence bundle");
  command->add_option("--request", options->request, "Request body, as sent");
  command->add_option("--response", options->response, "Response body, as received");
  command->add_option("--cleanup", options->cleanup, "Cleanup statement");
  command->add_option("--manifest", options->manifest, "Model manifest, besides the evidence's own");
  command->add_option("--nonce", options->nonce, "Nonce that the receipt must carry, in hex");
  command->add_option("--time", options->time, "Judge as of this time instead of now, as 2026-11-25T13:08:00Z");
  add_root(*command, options->root);
  command->add_flag("--json", options->json, "One JSON document");
  command->footer(
      "Exit status: 0 verified, 1 not verified, 2 could not be judged.\n"
      "Example: ephemeralml verify answer.dossier --policy policy.json");
  command->callback([options, &status] { status = run(*options); });
}

}  // namespace eml::cli
