#include "tests/support/shared.h"

#include <stdlib.h>

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

namespace eml::test {

namespace fs = std::filesystem;

fs::path source_dir() { return EML_SOURCE_DIR; }

fs::path shared_dir() {
  const char* named = std::getenv("EML_SHARED");
  if (named != nullptr && *named != '\0') return named;
  return source_dir().parent_path() / "shared";
}

std::optional<std::string> read_file(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return std::nullopt;
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  std::string content((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (in.bad()) return std::nullopt;
  return content;
}

std::optional<std::vector<unsigned char>> read_bytes(const fs::path& path) {
  const auto content = read_file(path);
  if (!content) return std::nullopt;
  return std::vector<unsigned char>(content->begin(), content->end());
}

TempDir::TempDir() {
  std::string pattern = (fs::temp_directory_path() / "eml-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a temporary directory");
  path_ = pattern;
}

TempDir::~TempDir() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

fs::path TempDir::write(const std::string& name, const std::string& content) const {
  const fs::path path = path_ / name;
  std::ofstream out(path, std::ios::binary);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  out.close();
  if (!out) throw std::runtime_error("cannot write a temporary file");
  return path;
}

}  // namespace eml::test
