#include "apps/ephemeralml/model_fetch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "apps/ephemeralml/model_files.h"
#include "base/files.h"
#include "net/http_client.h"

namespace eml::cli {
namespace {

constexpr int kRedirectsMax = 5;
// A refusal or a redirect has a body of its own, however small the file is.
constexpr std::uint64_t kBodyBytesMin = 64 * 1024;

bool is_redirect(std::uint16_t status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Result<HttpReply> get_following(std::string url, HttpCall call, const HttpClientLimits& limits, const BodySink& sink) {
  bool tls = false;
  for (int hop = 0; hop <= kRedirectsMax; ++hop) {
    EML_TRY(const Url parsed, parse_url(url));
    if (tls && !parsed.tls) return fail(kPullRedirect, "it redirects from https to http");
    tls = parsed.tls;
    call.target = parsed.target;
    EML_TRY(HttpReply reply, http_call(parsed, call, limits, sink));
    if (!is_redirect(reply.status)) return reply;
    const std::string_view location = header(reply.headers, "location");
    if (location.empty()) return fail(kPullRedirect, "it redirects to nowhere");
    url = resolve_location(url, location);
  }
  return fail(kPullRedirect, "it redirects more than five times");
}

// Part is the file under its temporary name.
class Part {
 public:
  static Result<Part> open(const std::string& path) {
    File file(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0644));
    if (!file.valid()) return std::unexpected(os_error(errno));
    struct stat info = {};
    if (::fstat(file.fd(), &info) != 0 || !S_ISREG(info.st_mode)) return fail(kFileNotRegular, "not a regular file");
    return Part(path, std::move(file), static_cast<std::uint64_t>(info.st_size));
  }
  std::uint64_t have() const { return have_; }
  Status append(ByteView bytes) {
    EML_CHECK(write_bytes(file_, bytes));
    have_ += bytes.size();
    return {};
  }
  Status begin_anew() {
    have_ = 0;
    return ::ftruncate(file_.fd(), 0) == 0 ? go_to_end() : std::unexpected(os_error(errno));
  }
  Status go_to_end() { return ::lseek(file_.fd(), 0, SEEK_END) >= 0 ? Status{} : std::unexpected(os_error(errno)); }
  Status sync() { return ::fsync(file_.fd()) == 0 ? Status{} : std::unexpected(os_error(errno)); }
  void remove() { ::unlink(path_.c_str()); }

 private:
  Part(std::string path, File file, std::uint64_t have) : path_(std::move(path)), file_(std::move(file)), have_(have) {}
  std::string path_;
  File file_;
  std::uint64_t have_;
};

// Fetches what the part lacks. A server that ignores Range answers 200 and the whole file: kPullNotResumable.
Status fetch_rest(const std::string& url, const KnownFile& file, Part& part, const FetchOptions& options) {
  const std::uint64_t from = part.have();
  HttpCall call;
  if (from > 0) call.headers.emplace_back("Range", "bytes=" + std::to_string(from) + "-");
  HttpClientLimits limits;
  limits.connect = options.connect;
  limits.idle = std::chrono::seconds(30);
  limits.body_bytes_max = static_cast<std::size_t>(std::max(file.size - from, kBodyBytesMin));
  bool too_long = false;
  const auto reply = get_following(url, call, limits, [&](ByteView bytes) -> Status {
    if (bytes.size() > file.size - part.have()) {
      too_long = true;
      return fail(kPullWrongBytes, "more bytes than the file has", file.size);
    }
    EML_CHECK(part.append(bytes));
    if (options.progress) options.progress(part.have());
    return {};
  });
  if (too_long || (!reply && reply.error().code() == kHttpTooLarge)) {
    if (from > 0) return fail(kPullNotResumable, "the server does not continue a file");
    return fail(kPullWrongBytes, "more bytes than the file has (it has)", file.size);
  }
  if (!reply) return std::unexpected(reply.error());
  if (from > 0) {
    const bool continued = reply->status == 206 &&
                           header(reply->headers, "content-range").starts_with("bytes " + std::to_string(from) + "-");
    const bool ignored = reply->status == 200 || reply->status == 206 || reply->status == 416;
    if (!continued && ignored) return fail(kPullNotResumable, "the server does not continue a file");
  }
  if (reply->status != 200 && reply->status != 206) {
    return fail(kPullStatus, "the server does not give the file (HTTP status)", reply->status);
  }
  return {};
}

Status check_and_rename(const KnownFile& file, Part& part, const std::string& path, const std::string& target) {
  EML_CHECK(part.sync());
  EML_TRY(const FileFingerprint found, fingerprint_file(path, file.size));
  if (found.size != file.size) {
    return fail(kPullWrongBytes, "another size than the model's file has (wanted, got)", file.size, found.size);
  }
  if (hex(found.sha256) != file.sha256) return fail(kPullWrongBytes, "not the model's file: its SHA-256 is another");
  if (::rename(path.c_str(), target.c_str()) != 0) return std::unexpected(os_error(errno));
  return {};
}

Status attempt(const std::string& url, const KnownFile& file, Part& part, const std::string& path,
               const std::string& target, const FetchOptions& options) {
  if (part.have() < file.size) EML_CHECK(fetch_rest(url, file, part, options));
  return check_and_rename(file, part, path, target);
}

}  // namespace

std::string resolve_location(const std::string& url, std::string_view location) {
  const std::size_t colon = location.find_first_of(":/?#");
  if (colon != std::string_view::npos && location[colon] == ':') return std::string(location);
  const std::size_t host = url.find("://");
  if (host == std::string::npos) return std::string(location);
  if (location.starts_with("//")) return url.substr(0, host + 1) + std::string(location);
  const std::size_t path = std::min(url.find_first_of("/?#", host + 3), url.size());
  if (location.starts_with('/')) return url.substr(0, path) + std::string(location);
  std::string base = url.substr(path, std::min(url.find_first_of("?#", path), url.size()) - path);
  base.resize(std::min(base.rfind('/'), base.size()));
  while (location.starts_with("../") || location.starts_with("./")) {
    if (location.starts_with("../")) base.resize(std::min(base.rfind('/'), base.size()));
    location.remove_prefix(location.find('/') + 1);
  }
  return url.substr(0, path) + base + "/" + std::string(location);
}

Status fetch_file(const std::string& url, const KnownFile& file, const std::string& target,
                  const FetchOptions& options) {
  const std::string path = target + ".part";
  EML_TRY(Part part, Part::open(path));
  if (part.have() > file.size) EML_CHECK(part.begin_anew());
  EML_CHECK(part.go_to_end());
  const bool continuing = part.have() > 0;
  Status status = attempt(url, file, part, path, target, options);
  const auto useless_part = [&] {
    return !status && (status.error().code() == kPullNotResumable || status.error().code() == kPullWrongBytes);
  };
  if (continuing && useless_part()) {
    EML_CHECK(part.begin_anew());
    status = attempt(url, file, part, path, target, options);
  }
  if (!status && (useless_part() || part.have() == 0 || status.error().code() == kDiskFull)) part.remove();
  return status;
}

}  // namespace eml::cli
