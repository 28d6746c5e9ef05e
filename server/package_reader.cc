#include "server/package_reader.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace eml {
namespace {

constexpr std::size_t kNamesMax = 512;
constexpr std::uint64_t kClearFileMax = 64U << 20;  // a tokenizer.json of a large vocabulary is 17 MB
constexpr std::uint64_t kPlainMax = std::uint64_t{64} << 30;

// FileSource reads an encrypted file by pread: a mapping would turn a file that shrinks under us into a signal.
class FileSource final : public EncryptedSource {
 public:
  static Result<std::unique_ptr<FileSource>> open(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
      if (errno == ENOENT) return fail(kFileNotFound, "the file is not there", static_cast<std::uint64_t>(errno));
      return fail(kFileUnreadable, "the file cannot be opened", static_cast<std::uint64_t>(errno));
    }
    struct stat info = {};
    if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
      ::close(fd);
      return fail(kFileNotRegular, "not a regular file");
    }
    return std::unique_ptr<FileSource>(new FileSource(fd, static_cast<std::uint64_t>(info.st_size)));
  }
  ~FileSource() override { ::close(fd_); }
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  std::uint64_t size() const override { return size_; }
  Result<ByteView> read(std::uint64_t offset, MutableByteView scratch) const override {
    std::size_t have = 0;
    while (have < scratch.size()) {
      const ssize_t n = ::pread(fd_, scratch.data() + have, scratch.size() - have, static_cast<off_t>(offset + have));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return fail(kFileUnreadable, "the file ended or failed while it was read", offset + have);
      have += static_cast<std::size_t>(n);
    }
    return ByteView(scratch);
  }

 private:
  FileSource(int fd, std::uint64_t size) : fd_(fd), size_(size) {}
  int fd_;
  std::uint64_t size_;
};

}  // namespace

Result<std::shared_ptr<PlainMemory>> PlainMemory::allocate(std::size_t size) {
  void* data = ::mmap(nullptr, std::max<std::size_t>(size, 1), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) return fail(kEncfileTarget, "no memory for the model", size);
  ::madvise(data, size, MADV_DONTDUMP);
  ::madvise(data, size, MADV_DONTFORK);
  return std::shared_ptr<PlainMemory>(new PlainMemory(static_cast<std::uint8_t*>(data), size));
}

PlainMemory::~PlainMemory() { ::munmap(data_, std::max<std::size_t>(size_, 1)); }

void PlainMemory::release(std::size_t offset, std::size_t size) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t begin = (offset + page - 1) / page * page;
  const std::size_t end = std::min(offset + size, size_) / page * page;
  // For private anonymous memory MADV_DONTNEED drops the pages at once: that is the wipe.
  if (begin < end) ::madvise(data_ + begin, end - begin, MADV_DONTNEED);
}

std::string DirectoryReader::path_of(std::string_view name) const {
  std::string path = directory_;
  path += '/';
  path += name;
  return path;
}

Result<std::vector<std::string>> DirectoryReader::names() const {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(directory_.c_str()), ::closedir);
  if (!directory)
    return fail(kFileUnreadable, "the package's directory cannot be read", static_cast<std::uint64_t>(errno));
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (names.size() == kNamesMax) return fail(kPackageUnknownMember, "the directory has too many entries", kNamesMax);
    names.emplace_back(name);
  }
  return names;
}

Result<Bytes> DirectoryReader::member(std::string_view name, std::size_t bytes_max) const {
  return read_file(path_of(name), bytes_max);
}

Result<ByteView> DirectoryReader::clear(const ModelFile& file) {
  current_ = file.path;
  if (file.size > kClearFileMax) return fail(kFileTooLarge, "a clear file is too large", file.size, kClearFileMax);
  EML_TRY(Bytes bytes, read_file(path_of(file.path), kClearFileMax));
  clear_.push_back(std::move(bytes));
  return ByteView(clear_.back());
}

Result<const EncryptedSource*> DirectoryReader::encrypted(const ModelFile&, std::string_view name) {
  current_ = name;
  EML_TRY(auto source, FileSource::open(path_of(name)));
  sources_.push_back(std::move(source));
  return sources_.back().get();
}

Result<MutableByteView> DirectoryReader::target(const ModelFile& file) {
  if (file.size > kPlainMax)
    return fail(kEncfileTarget, "the model is larger than this server takes", file.size, kPlainMax);
  EML_TRY(auto memory, PlainMemory::allocate(static_cast<std::size_t>(file.size)));
  plain_.push_back({file.path, memory});
  return memory->bytes();
}

std::shared_ptr<PlainMemory> DirectoryReader::plain(std::string_view path) const {
  const auto found = std::ranges::find(plain_, path, &Plain::path);
  return found == plain_.end() ? nullptr : found->memory;
}

}  // namespace eml
