#include "attester/tpm_device.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "encoding/reader.h"

namespace eml {
namespace {

constexpr std::uint64_t kRetry = 0x922;   // TPM_RC_RETRY: the command was not begun
constexpr int kTries = 10;                // swtpm says so once, after its start; the kernel's driver handles it itself
constexpr std::size_t kHeaderBytes = 10;  // tag, size, code
constexpr std::size_t kResponseMax = 4096;  // TPM2_MAX_RESPONSE_SIZE of the PC Client platform

std::unexpected<Error> failed(Literal what) { return fail(kTpmDeviceFailed, what, static_cast<std::uint64_t>(errno)); }

Result<int> open_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return fail(kTpmDeviceNotHere, "the path of a socket is too long");
  std::ranges::copy(path, std::begin(address.sun_path));
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed("a socket for the TPM cannot be made");
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  const auto error = failed("the TPM's socket does not answer");
  ::close(fd);
  return error;
}

Status write_all(int fd, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return failed("the TPM takes no command");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

// whole_size is what the header says that the response has; 0 until the header is there.
std::size_t whole_size(ByteView response) {
  if (response.size() < kHeaderBytes) return 0;
  Reader in(response.subspan(2));
  return in.u32().value_or(0);
}

}  // namespace

Result<TpmDevice> TpmDevice::open(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return fail(kTpmDeviceNotHere, "there is no TPM at this path");
  if (S_ISSOCK(status.st_mode)) {
    EML_TRY(const int fd, open_socket(path));
    return TpmDevice(fd);
  }
  if (!S_ISCHR(status.st_mode)) return fail(kTpmDeviceNotHere, "what is at this path is no device");
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return failed("the TPM's device cannot be opened");
  return TpmDevice(fd);
}

TpmDevice::TpmDevice(TpmDevice&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

TpmDevice::~TpmDevice() {
  if (fd_ >= 0) ::close(fd_);
}

Result<Bytes> TpmDevice::transact(ByteView command) {
  auto response = transact_once(command);
  for (int tried = 1; tried < kTries; ++tried) {
    const bool again = !response && response.error().code() == kTpmDeviceRefused && response.error().first() == kRetry;
    if (!again) break;
    response = transact_once(command);
  }
  return response;
}

Result<Bytes> TpmDevice::transact_once(ByteView command) {
  EML_CHECK(write_all(fd_, command));
  Bytes response(kResponseMax);
  std::size_t size = 0;
  // A device gives the whole response at once; a socket may give it in pieces.
  while (size < kHeaderBytes || size < whole_size(ByteView(response).first(size))) {
    if (size == response.size()) return fail(kTpmDeviceAnswer, "a response is larger than a TPM's", size);
    const ssize_t got = ::read(fd_, response.data() + size, response.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("the TPM gives no response");
    if (got == 0) return fail(kTpmDeviceAnswer, "the TPM's response ends too early", size);
    size += static_cast<std::size_t>(got);
  }
  response.resize(size);
  return decode_tpm_response(response);
}

Result<Bytes> decode_tpm_response(ByteView response) {
  Reader in(response);
  const auto tag = in.u16();
  const auto size = in.u32();
  const auto code = in.u32();
  if (!tag || !size || !code || *size != response.size()) {
    return fail(kTpmDeviceAnswer, "a response has another size than it says", response.size());
  }
  if (*code != 0) return fail(kTpmDeviceRefused, "the TPM refused a command", *code);
  return to_bytes(in.rest());
}

}  // namespace eml
