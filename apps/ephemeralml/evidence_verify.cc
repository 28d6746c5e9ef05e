#include "apps/ephemeralml/evidence_verify.h"

#include <algorithm>
#include <filesystem>

#include "apps/ephemeralml/command.h"
#include "attestation/kinds.h"
#include "base/clock.h"
#include "base/files.h"

namespace eml::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFileBytesMax = std::size_t{16} << 20;  // the largest genuine piece is a RIM of 300 KiB

struct Options {
  std::string kind;
  std::string evidence;
  std::vector<std::string> collateral;
  std::string policy;
  std::string time;
  std::string nonce;
  std::string root;
  bool json = false;
};

// Inputs holds what the options name, for as long as the judge views it.
struct Inputs {
  const KindVerifier* kind = nullptr;
  Bytes evidence;
  Collateral collateral;
  std::optional<Json> requirements;
  UnixSeconds time = 0;
  std::optional<Bytes> root;
};

// Complaint is the exit status of a complaint that was printed already.
using Read = std::expected<void, int>;

std::unexpected<int> complained(int status) { return std::unexpected(status); }

Read read_into(Bytes& out, const std::string& path) {
  auto bytes = read_file(path, kFileBytesMax);
  if (!bytes) return complained(complain(path, bytes.error()));
  out = std::move(*bytes);
  return {};
}

Read add_collateral(Collateral& out, const std::string& name, const std::string& path) {
  Bytes bytes;
  if (auto read = read_into(bytes, path); !read) return read;
  if (!out.emplace(name, std::move(bytes)).second)
    return complained(complain_usage(path, "is a second file for one name of collateral"));
  return {};
}

// NAME and NAME.anything are the collateral NAME.
Read add_directory(Collateral& out, const std::string& directory) {
  std::error_code error;
  std::vector<fs::path> files;
  for (auto it = fs::directory_iterator(directory, error); !error && it != fs::directory_iterator();
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with('.') && it->is_regular_file(error)) files.push_back(it->path());
  }
  if (error) return complained(complain_usage(directory, "is not a directory that can be read"));
  std::ranges::sort(files);
  for (const fs::path& file : files) {
    const std::string name = file.filename().string();
    if (auto read = add_collateral(out, name.substr(0, name.find('.')), file.string()); !read) return read;
  }
  return {};
}

Read read_collateral(const Options& options, Inputs& inputs) {
  for (const std::string& item : options.collateral) {
    const std::size_t equals = item.find('=');
    std::error_code none;
    const bool is_directory = fs::is_directory(item, none);
    if (!is_directory && (equals == 0 || equals == std::string::npos))
      return complained(complain_usage(item, "is neither a directory nor NAME=FILE"));
    auto read = is_directory ? add_directory(inputs.collateral, item)
                             : add_collateral(inputs.collateral, item.substr(0, equals), item.substr(equals + 1));
    if (!read) return read;
  }
  return {};
}

Read read_policy(const Options& options, Inputs& inputs) {
  if (options.policy.empty()) return {};
  Bytes bytes;
  if (auto read = read_into(bytes, options.policy); !read) return read;
  auto json = parse_json(bytes);
  if (!json) return complained(complain(options.policy, json.error()));
  if (!json->is_object()) return complained(complain_usage(options.policy, "is not a JSON object"));
  inputs.requirements = std::move(*json);
  return {};
}

Read add_nonce(const Options& options, Inputs& inputs) {
  if (options.nonce.empty()) return {};
  const auto bytes = from_hex(options.nonce);
  if (!bytes) return complained(complain_usage("--nonce", "is not hexadecimal"));
  if (!inputs.requirements) inputs.requirements = JsonObject();
  JsonObject& requirements = inputs.requirements->get_object();
  if (requirements.contains(inputs.kind->nonce_requirement))
    return complained(complain_usage("--nonce", "the policy requires one already"));
  requirements[inputs.kind->nonce_requirement] = hex(*bytes);
  return {};
}

Read read_time(const Options& options, Inputs& inputs) {
  inputs.time = system_clock().now();
  if (options.time.empty()) return {};
  const auto time = parse_rfc3339(options.time);
  if (!time) return complained(complain("--time", time.error()));
  inputs.time = *time;
  return {};
}

Read read_kind(const Options& options, Inputs& inputs) {
  inputs.kind = kind_verifier(options.kind);
  if (inputs.kind != nullptr) return {};
  std::string known;
  for (const KindVerifier& kind : kind_verifiers()) known += (known.empty() ? "" : ", ") + std::string(kind.name);
  return complained(complain_usage("--kind " + options.kind, "is none of: " + known));
}

Read read_inputs(const Options& options, Inputs& inputs) {
  Read read = read_kind(options, inputs);
  if (read) read = read_time(options, inputs);
  if (read) read = read_into(inputs.evidence, options.evidence);
  if (read) read = read_collateral(options, inputs);
  if (read) read = read_policy(options, inputs);
  if (read) read = add_nonce(options, inputs);
  if (read && !options.root.empty()) read = read_into(inputs.root.emplace(), options.root);
  return read;
}

std::string_view verdict_text(const EvidenceVerdict& verdict) {
  if (verdict.error) return "invalid";
  return verdict.root_given ? "verified under a root that you gave" : "valid";
}

JsonObject check_json(const Check& check) {
  JsonObject out;
  out["id"] = check.id;
  out["title"] = check.title.view();
  out["outcome"] = to_string(check.outcome);
  out["voucher"] = to_string(check.voucher);
  if (check.error) out["error"] = check.error->to_string();
  if (!check.detail.empty()) out["detail"] = check.detail;
  return out;
}

JsonObject evidence_json(const VerifiedEvidence& evidence) {
  JsonObject out;
  out["root"] = evidence.root;
  out["signed_value"] = hex(evidence.signed_value);
  out["platform_identity"] = evidence.platform_identity;
  out["debug"] = evidence.debug;
  JsonObject measurements;
  for (const auto& [name, value] : evidence.measurements) measurements[name] = hex(value);
  out["measurements"] = std::move(measurements);
  JsonObject tcb;
  for (const auto& [name, value] : evidence.tcb) tcb[name] = value;
  out["tcb"] = std::move(tcb);
  return out;
}

JsonObject verdict_json(std::string_view kind, UnixSeconds time, const EvidenceVerdict& verdict) {
  JsonObject out;
  out["kind"] = kind;
  out["time"] = rfc3339(time);
  out["verdict"] = verdict_text(verdict);
  out["root_given"] = verdict.root_given;
  out["error"] = verdict.error ? Json(error_class_of(kind, *verdict.error)) : Json(nullptr);
  if (verdict.error) out["message"] = verdict.error->to_string();
  if (!verdict.tcb_status.empty()) out["tcb_status"] = verdict.tcb_status;
  if (!verdict.advisories.empty()) out["advisories"] = JsonArray(verdict.advisories.begin(), verdict.advisories.end());
  if (!verdict.error) out["evidence"] = evidence_json(verdict.evidence);
  // What bad evidence says of itself is shown, under a name that nobody takes for a finding.
  out[verdict.error ? "unverified_fields" : "fields"] = verdict.fields;
  out["details"] = verdict.details;
  JsonArray checks;
  for (const Check& check : verdict.checks) checks.emplace_back(check_json(check));
  out["checks"] = std::move(checks);
  return out;
}

void say_verdict(std::string_view kind, const EvidenceVerdict& verdict) {
  for (const Check& check : verdict.checks) {
    say(std::string(to_string(check.outcome)) + ": " + std::string(check.title.view()) + " (" +
        std::string(to_string(check.voucher)) + ")");
  }
  if (!verdict.tcb_status.empty()) say("TCB status: " + verdict.tcb_status);
  say(std::string(kind) + ": " + std::string(verdict_text(verdict)));
}

int verify(const Options& options) {
  Inputs inputs;
  if (const auto read = read_inputs(options, inputs); !read) return read.error();
  const EvidenceVerdict verdict =
      inputs.kind->judge({.evidence = inputs.evidence,
                          .collateral = &inputs.collateral,
                          .time = inputs.time,
                          .requirements = inputs.requirements ? &*inputs.requirements : nullptr,
                          .root = inputs.root});
  if (options.json) {
    print_json(verdict_json(options.kind, inputs.time, verdict));
  } else {
    say_verdict(options.kind, verdict);
  }
  return verdict.error ? complain(options.evidence, *verdict.error) : kDone;
}

}  // namespace

void add_evidence_verify(CLI::App& evidence, int& status) {
  auto options = std::make_shared<Options>();
  auto* command = evidence.add_subcommand("verify", "Judge one piece of evidence, offline");
  command->add_option("--kind", options->kind, "tdx, sevsnp, nitro, confidential_space, tpm or nvidia")->required();
  command->add_option("--evidence", options->evidence, "The evidence, as the platform gave it")->required();
  command->add_option("--collateral", options->collateral,
                      "A directory of NAME.ext, or NAME=FILE; may be repeated (docs/spec/evidence/KIND.md)");
  command->add_option("--policy", options->policy, "Requirements: a JSON object of the kind's members");
  command->add_option("--time", options->time, "Judge as of this time (RFC 3339) instead of now");
  command->add_option("--nonce", options->nonce, "Hex: what the evidence must have signed");
  command->add_option("--root", options->root, "Trust this root (certificate or key set) and no built-in one");
  command->add_flag("--json", options->json, "One JSON document");
  command->footer(
      "Example: ephemeralml evidence verify --kind confidential_space --evidence token.jwt --time "
      "2026-06-01T12:00:00Z");
  command->callback([options, &status] { status = verify(*options); });
}

}  // namespace eml::cli
