// policy from-bundle | sign | test: draft an entry from evidence, sign a policy, ask which rule would decide.
#include "attestation/policy.h"

#include <algorithm>

#include "apps/ephemeralml/command.h"
#include "attestation/policy_tools.h"
#include "attestation/text.h"
#include "audit/dossier.h"
#include "base/files.h"
#include "crypto/key_file.h"
#include "package/manifest.h"

namespace eml::cli {
namespace {

constexpr std::size_t kPolicyBytesMax = 1U << 20;
constexpr std::uint64_t kSerialMax = (std::uint64_t{1} << 53) - 1;  // what JSON carries exactly
constexpr UnixSeconds kDraftDays = 90 * 86400;  // a draft ends by its date: the person who signs it may say otherwise

struct Options {
  std::string file;
  std::string policy;
  std::string key;
  std::string to;
  std::string name = "entry";
  std::string policy_name = "policy";
  std::string approved_by;
  std::string purpose = "serve";
  std::string challenge;
  std::string root;
  std::string time;
  std::uint64_t serial = 1;
  bool accept_evaluation = false;
  bool json = false;
};

int write_out(const std::string& to, std::string_view text) {
  if (to.empty() || to == "-") {
    return write_stdout(text) ? kDone : complain_usage("standard output", "cannot be written");
  }
  if (auto written = write_file(to, as_bytes(text)); !written) return complain(to, written.error());
  return kDone;
}

// A policy in progress is JSON without a valid signature: read as a document, not as a policy.
Result<Json> read_document(const std::string& path) {
  EML_TRY(const Bytes bytes, read_file(path, kPolicyBytesMax));
  return parse_json(bytes, {.bytes_max = kPolicyBytesMax});
}

bool is_entry_name(std::string_view text) {
  return text.size() <= 64 && std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
         });
}

// What the policy's format takes: better said here, by option, than when the draft is signed.
int check_names(const Options& options) {
  if (!is_entry_name(options.name)) return complain_usage("--name", "expected [a-z0-9._-], 1 to 64 characters");
  if (!is_printable(options.approved_by, 256)) {
    return complain_usage("--approved-by", "expected 1 to 256 printable ASCII characters");
  }
  if (!is_printable(options.policy_name, 128)) {
    return complain_usage("--policy-name", "expected 1 to 128 printable ASCII characters");
  }
  return kDone;
}

int from_bundle(const Options& options) {
  if (const int status = check_names(options); status != kDone) return status;
  auto bundle = read_file(options.file, kBundleBytesMax);
  if (!bundle) return complain(options.file, bundle.error());
  if (sniff_file(*bundle) == FileKind::kDossier) {
    return complain_usage(options.file, "is a dossier, not an evidence bundle (evidence unpack takes the bundle out)");
  }
  const UnixSeconds now = system_clock().now();
  auto root = read_root(options.root);
  if (!root) return complain(options.root, root.error());
  auto entry = draft_entry_from_bundle(*bundle, {.name = options.name,
                                                 .approved_by = options.approved_by,
                                                 .not_before = now - 60,
                                                 .not_after = now + kDraftDays,
                                                 .accept_evaluation = options.accept_evaluation,
                                                 .time = now,
                                                 .given_root = std::move(*root)});
  if (!entry) return complain(options.file, entry.error());
  Json document;
  if (options.policy.empty()) {
    document = draft_policy(options.policy_name, options.serial, JsonArray{std::move(*entry)});
  } else {
    auto existing = read_document(options.policy);
    if (!existing) return complain(options.policy, existing.error());
    auto* object = existing->if_object();
    auto* entries = object == nullptr || !object->contains("entries") ? nullptr : object->at("entries").if_array();
    if (entries == nullptr) return complain_usage(options.policy, "is not a policy: it has no entries");
    entries->push_back(std::move(*entry));
    (*object)["serial"] = options.serial;
    object->erase("signatures");
    document = std::move(*existing);
  }
  note("Nothing in the bundle was verified. Compare the draft with what you built, then sign it.");
  return write_out(options.to, compact_json(document) + "\n");
}

int sign(const Options& options) {
  auto document = read_document(options.file);
  if (!document) return complain(options.file, document.error());
  auto text = read_file(options.key, kKeyFileMax);
  if (!text) return complain(options.key, text.error());
  auto key = decode_private_key_file(*text, KeyPurpose::kPolicy);
  if (!key) return complain(options.key, key.error());
  auto signed_text = sign_policy(*document, key->key);
  if (!signed_text) return complain(options.file, signed_text.error());
  return write_out(options.to, *signed_text);
}

void print_checks(const Checks& checks) {
  for (const Check& check : checks) {
    std::string line(to_string(check.outcome));
    line.resize(12, ' ');
    line += check.title.view();
    if (!check.detail.empty()) line += ": " + check.detail;
    if (check.error) line += ": " + std::string(check.error->what());
    say(line);
  }
}

JsonArray checks_json(const Checks& checks) {
  JsonArray out;
  for (const Check& check : checks) {
    JsonObject line;
    line["id"] = check.id;
    line["outcome"] = to_string(check.outcome);
    line["detail"] = check.detail;
    if (check.error) {
      line["error"] = check.error->code().name;
    } else {
      line["error"] = nullptr;
    }
    out.push_back(std::move(line));
  }
  return out;
}

Result<BundleExpectation> expectation_of(const Options& options, const Policy& policy) {
  BundleExpectation expectation{.purpose = options.purpose == "release" ? Purpose::kRelease : Purpose::kServe,
                                .time = system_clock().now(),
                                .challenge = std::nullopt,
                                .policy = &policy,
                                .verify_manifest = verify_manifest};
  if (!options.time.empty()) {
    EML_TRY(expectation.time, parse_rfc3339(options.time));
  }
  return expectation;
}

int test(const Options& options) {
  auto bytes = read_file(options.file, kDossierBytesMax);
  if (!bytes) return complain(options.file, bytes.error());
  ByteView bundle = *bytes;
  if (sniff_file(*bytes) == FileKind::kDossier) {
    auto dossier = decode_dossier(*bytes);
    if (!dossier) return complain(options.file, dossier.error());
    bundle = dossier->bundle;
  }
  if (auto decoded = decode_bundle(bundle); !decoded) return complain(options.file, decoded.error());
  auto policy_bytes = read_file(options.policy, kPolicyBytesMax);
  if (!policy_bytes) return complain(options.policy, policy_bytes.error());
  auto policy = Policy::decode(*policy_bytes);
  if (!policy) return complain(options.policy, policy.error());
  auto expectation = expectation_of(options, *policy);
  if (!expectation) return complain("--time", expectation.error());
  if (expectation->purpose == Purpose::kRelease) {
    // Which challenge a broker gave is not for this command to know: it takes the binding's own.
    if (auto decoded = decode_bundle(bundle)) {
      if (auto binding = decode_binding(decoded->binding)) expectation->challenge = binding->challenge;
    }
  }
  auto root = read_root(options.root);
  if (!root) return complain(options.root, root.error());
  expectation->given_root = std::move(*root);
  const Explanation explanation = explain_policy(bundle, *expectation);
  if (options.json) {
    JsonObject out;
    if (explanation.rule) {
      out["rule"] = *explanation.rule;
    } else {
      out["rule"] = nullptr;
    }
    out["bundle"] = checks_json(explanation.bundle);
    out["entries"] = checks_json(explanation.entries);
    print_json(out);
  } else {
    say(explanation.rule ? "Rule \"" + *explanation.rule + "\" would accept this evidence."
                         : std::string("No rule of this policy would accept this evidence."));
    print_checks(explanation.bundle);
    print_checks(explanation.entries);
  }
  return explanation.rule ? kDone : kNotAcceptable;
}

}  // namespace

void add_policy(CLI::App& app, int& status) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("policy", "Draft, sign and test policies: which evidence is acceptable");
  command->require_subcommand(1);

  auto* draft = command->add_subcommand("from-bundle", "Draft an entry that accepts exactly what a bundle claims");
  draft->add_option("FILE", options->file, "Evidence bundle (serve --write-bundle)")->required();
  draft->add_option("--name", options->name, "Name of the entry")->capture_default_str();
  draft->add_option("--approved-by", options->approved_by, "Who answers for the entry")->required();
  draft->add_option("--policy", options->policy, "Policy that gets the entry added; absent: a new one");
  draft->add_option("--policy-name", options->policy_name, "Name of a new policy")->capture_default_str();
  draft->add_option("--serial", options->serial, "Serial of the policy; never falls")
      ->check(CLI::Range(std::uint64_t{1}, kSerialMax))
      ->capture_default_str();
  draft->add_flag("--accept-evaluation", options->accept_evaluation,
                  "Write the consent that software evidence needs: it protects nobody's data");
  add_root(*draft, options->root);
  draft->add_option("--to", options->to, "Output file; absent: standard output");
  draft->footer("Example: ephemeralml policy from-bundle bundle.eml --approved-by 'A. Person' --to draft.json");
  draft->callback([options, &status] { status = from_bundle(*options); });

  auto* signing = command->add_subcommand("sign", "Sign a policy with its owner's key");
  signing->add_option("FILE", options->file, "Policy")->required();
  signing->add_option("--key", options->key, "Private key of purpose policy")->required();
  signing->add_option("--to", options->to, "Output file; absent: standard output");
  signing->footer("Example: ephemeralml policy sign draft.json --key policy.key --to policy.json");
  signing->callback([options, &status] { status = sign(*options); });

  auto* testing =
      command->add_subcommand("test", "Say which rule would decide about a bundle, and why the others do not");
  testing->add_option("FILE", options->file, "Evidence bundle or dossier")->required();
  testing->add_option("--policy", options->policy, "Policy")->required();
  testing->add_option("--purpose", options->purpose, "serve or release")
      ->check(CLI::IsMember({"serve", "release"}))
      ->capture_default_str();
  testing->add_option("--time", options->time, "Judge as of this time instead of now");
  add_root(*testing, options->root);
  testing->add_flag("--json", options->json, "One JSON document");
  testing->footer("Example: ephemeralml policy test bundle.eml --policy policy.json --purpose release");
  testing->callback([options, &status] { status = test(*options); });
}

}  // namespace eml::cli
