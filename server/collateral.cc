#include "server/collateral.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "attestation/kinds.h"
#include "base/files.h"

namespace eml {
namespace {

UnixSeconds modified_at(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mtim.tv_sec : 0;
}

bool has(const std::vector<Endorsement>& endorsements, std::string_view name) {
  return std::ranges::find(endorsements, name, &Endorsement::name) != endorsements.end();
}

// The paths in the directory, in the order of their names: a name with two extensions is the first one on any machine.
Result<std::vector<std::filesystem::path>> paths_in(const std::string& directory) {
  std::error_code error;
  std::filesystem::directory_iterator entries(directory, error);
  if (error) return fail(kFileUnreadable, "the directory of collateral cannot be read");
  std::vector<std::filesystem::path> out;
  for (; entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    if (error) return fail(kFileUnreadable, "the directory of collateral cannot be read");
    out.push_back(entries->path());
  }
  std::ranges::sort(out);
  return out;
}

}  // namespace

Status add_collateral(std::vector<Endorsement>& endorsements, const std::string& directory, EvidenceKind kind) {
  const KindVerifier* verifier = kind_verifier(to_string(kind));
  if (directory.empty() || verifier == nullptr) return {};
  EML_TRY(const auto paths, paths_in(directory));
  for (const auto& path : paths) {
    const std::string name = path.stem().string();
    const bool known = std::ranges::find(verifier->collateral, std::string_view(name)) != verifier->collateral.end();
    if (!known || has(endorsements, name)) continue;
    EML_TRY(Bytes bytes, read_file(path.string(), kBundleBytesMax));
    endorsements.push_back({.name = name, .fetched_at = modified_at(path.string()), .bytes = std::move(bytes)});
  }
  return {};
}

}  // namespace eml
