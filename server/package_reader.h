// DirectoryReader reads a package's members from a directory and owns the one copy of the plaintext weights.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "base/files.h"
#include "package/package.h"

namespace eml {

// PlainMemory is page-aligned anonymous memory for decrypted weights: kept out of core dumps, given back range by range
// as the engine packs it, gone with its owner.
class PlainMemory {
 public:
  static Result<std::shared_ptr<PlainMemory>> allocate(std::size_t size);
  ~PlainMemory();
  PlainMemory(const PlainMemory&) = delete;
  PlainMemory& operator=(const PlainMemory&) = delete;
  MutableByteView bytes() { return {data_, size_}; }
  // release gives the whole pages inside [offset, offset + size) back to the system; they read as zeros afterwards.
  void release(std::size_t offset, std::size_t size);

 private:
  PlainMemory(std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  std::uint8_t* data_;
  std::size_t size_;
};

class DirectoryReader final : public PackageReader {
 public:
  explicit DirectoryReader(std::string directory) : directory_(std::move(directory)) {}

  // names lists the directory's entries (not `.` and `..`), at most a few hundred.
  Result<std::vector<std::string>> names() const;
  // member reads a small member whole: manifest.json, wrapped_dek.bin.
  Result<Bytes> member(std::string_view name, std::size_t bytes_max) const;

  Result<ByteView> clear(const ModelFile& file) override;
  Result<const EncryptedSource*> encrypted(const ModelFile& file, std::string_view name) override;
  Result<MutableByteView> target(const ModelFile& file) override;

  // current is the path of the member that was asked for last: where a load that failed was.
  std::string current() const { return path_of(current_); }

  // plain returns the memory that target() made for `path`, or nothing.
  std::shared_ptr<PlainMemory> plain(std::string_view path) const;

 private:
  struct Plain {
    std::string path;
    std::shared_ptr<PlainMemory> memory;
  };
  std::string path_of(std::string_view name) const;

  std::string directory_;
  std::string current_;
  std::list<Bytes> clear_;
  std::list<std::unique_ptr<EncryptedSource>> sources_;
  std::vector<Plain> plain_;
};

}  // namespace eml
