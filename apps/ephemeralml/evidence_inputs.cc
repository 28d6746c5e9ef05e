#include "apps/ephemeralml/evidence_inputs.h"

#include <algorithm>
#include <filesystem>

#include "apps/ephemeralml/command.h"
#include "base/files.h"

namespace eml::cli {
namespace {

namespace fs = std::filesystem;

std::unexpected<int> complained(int status) { return std::unexpected(status); }

EvidenceRead read_into(Bytes& out, const std::string& path) {
  auto bytes = read_file(path, kEvidenceFileBytesMax);
  if (!bytes) return complained(complain(path, bytes.error()));
  out = std::move(*bytes);
  return {};
}

EvidenceRead add_collateral(Collateral& out, const std::string& name, const std::string& path) {
  Bytes bytes;
  if (auto read = read_into(bytes, path); !read) return read;
  if (!out.emplace(name, std::move(bytes)).second)
    return complained(complain_usage(path, "is a second file for one name of collateral"));
  return {};
}

// NAME and NAME.anything are the collateral NAME.
EvidenceRead add_directory(Collateral& out, const std::string& directory) {
  std::error_code error;
  std::vector<fs::path> files;
  for (auto it = fs::directory_iterator(directory, error); !error && it != fs::directory_iterator();
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    const bool is_item = !name.starts_with('.') && name != kCollateralList;
    if (is_item && it->is_regular_file(error)) files.push_back(it->path());
  }
  if (error) return complained(complain_usage(directory, "is not a directory that can be read"));
  std::ranges::sort(files);
  for (const fs::path& file : files) {
    const std::string name = file.filename().string();
    if (auto read = add_collateral(out, name.substr(0, name.find('.')), file.string()); !read) return read;
  }
  return {};
}

EvidenceRead read_collateral(const EvidenceOptions& options, EvidenceInputs& inputs) {
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

EvidenceRead read_policy(const EvidenceOptions& options, EvidenceInputs& inputs) {
  if (options.policy.empty()) return {};
  Bytes bytes;
  if (auto read = read_into(bytes, options.policy); !read) return read;
  auto json = parse_json(bytes);
  if (!json) return complained(complain(options.policy, json.error()));
  if (!json->is_object()) return complained(complain_usage(options.policy, "is not a JSON object"));
  inputs.requirements = std::move(*json);
  return {};
}

EvidenceRead add_nonce(const EvidenceOptions& options, EvidenceInputs& inputs) {
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

EvidenceRead read_time(const EvidenceOptions& options, EvidenceInputs& inputs) {
  inputs.time = system_clock().now();
  if (options.time.empty()) return {};
  const auto time = parse_rfc3339(options.time);
  if (!time) return complained(complain("--time", time.error()));
  inputs.time = *time;
  return {};
}

}  // namespace

std::expected<const KindVerifier*, int> read_kind(const std::string& name) {
  const KindVerifier* const kind = kind_verifier(name);
  if (kind != nullptr) return kind;
  std::string known;
  for (const KindVerifier& each : kind_verifiers()) known += (known.empty() ? "" : ", ") + std::string(each.name);
  return complained(complain_usage("--kind " + name, "is none of: " + known));
}

EvidenceRead read_evidence_inputs(const EvidenceOptions& options, EvidenceInputs& inputs) {
  const auto kind = read_kind(options.kind);
  if (!kind) return complained(kind.error());
  inputs.kind = *kind;
  EvidenceRead read = read_time(options, inputs);
  if (read) read = read_into(inputs.evidence, options.evidence);
  if (read) read = read_collateral(options, inputs);
  if (read) read = read_policy(options, inputs);
  if (read) read = add_nonce(options, inputs);
  if (read && !options.root.empty()) read = read_into(inputs.root.emplace(), options.root);
  return read;
}

EvidenceInput EvidenceInputs::view() const {
  return {.evidence = evidence,
          .collateral = &collateral,
          .time = time,
          .requirements = requirements ? &*requirements : nullptr,
          .root = root};
}

}  // namespace eml::cli
