#include "attester/nitro_attester.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "encoding/cbor.h"

namespace eml {
namespace {

constexpr unsigned kNsmMagic = 0x0A;
static_assert(sizeof(NsmMessage) == 32, "the driver's structure has two pointers and two lengths of 64 bits");

struct NsmErrorName {
  std::string_view name;
  Literal what;
};
// api::ErrorCode. "Success" is no error and never an answer.
constexpr std::array<NsmErrorName, 8> kNsmErrors{{
    {"InvalidArgument", "the NSM refused: invalid argument"},
    {"InvalidIndex", "the NSM refused: invalid index"},
    {"InvalidResponse", "the NSM refused: invalid response"},
    {"ReadOnlyIndex", "the NSM refused: read-only index"},
    {"InvalidOperation", "the NSM refused: invalid operation"},
    {"BufferTooSmall", "the NSM refused: buffer too small"},
    {"InputTooLarge", "the NSM refused: input too large"},
    {"InternalError", "the NSM refused: internal error"},
}};

std::unexpected<Error> not_an_answer() { return fail(kAttesterAnswer, "the NSM's answer is not one to our request"); }

std::unexpected<Error> refusal(CborReader value) {
  const auto name = value.text();
  for (const NsmErrorName& known : kNsmErrors) {
    if (name && *name == known.name) return fail(kNsmRefused, known.what);
  }
  return not_an_answer();
}

// An answer is {REQUEST: {member: bytes}} or {"Error": name}.
Result<Bytes> decode_answer(ByteView answer, std::string_view request, std::string_view member) {
  auto map = CborMap::decode(answer);
  if (!map || map->size() != 1) return not_an_answer();
  if (const auto error = map->optional("Error")) return refusal(*error);
  auto body = map->optional(request);
  if (!body) return not_an_answer();
  auto members = CborMap::read(*body);
  if (!members || members->size() != 1) return not_an_answer();
  auto value = members->optional(member);
  if (!value) return not_an_answer();
  const auto bytes = value->bytes();
  if (!bytes || bytes->empty()) return not_an_answer();
  return to_bytes(*bytes);
}

void bytes_or_null(CborWriter& out, const std::optional<Bytes>& value) {
  if (value) {
    out.bytes(*value);
  } else {
    out.null();
  }
}

Bytes attestation_request(const Binding& binding, ByteView user_data) {
  std::optional<Bytes> nonce;
  if (binding.challenge) nonce = to_bytes(ByteView(*binding.challenge));
  std::optional<Bytes> public_key;
  if (binding.purpose == Purpose::kServe) public_key = to_bytes(ByteView(binding.receipt_key));
  CborWriter out;
  out.map(1).text("Attestation").map(3);
  out.text("nonce");
  bytes_or_null(out, nonce);
  out.text("user_data").bytes(user_data);
  out.text("public_key");
  bytes_or_null(out, public_key);
  return out.take();
}

std::unexpected<Error> driver_error(int error) {
  const auto code = static_cast<std::uint64_t>(error);
  if (error == EINTR || error == EAGAIN || error == EBUSY) {
    return fail(kAttesterBusy, "the NSM's driver stayed busy", code);
  }
  if (error == EMSGSIZE) return fail(kAttesterAnswerTooLarge, "the NSM's driver says that a message is too large");
  return fail(kAttesterDevice, "the NSM's driver failed", code);
}

}  // namespace

int nsm_ioctl(int fd, NsmMessage& message) {
  return ::ioctl(fd, _IOWR(kNsmMagic, 0, NsmMessage), &message) == 0 ? 0 : errno;
}

Result<Bytes> decode_nsm_document(ByteView answer) { return decode_answer(answer, "Attestation", "document"); }

Result<std::unique_ptr<NitroAttester>> NitroAttester::open(NitroAttesterConfig config) {
  const int fd = ::open(config.device.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  const int error = errno;
  if (fd < 0 && (error == ENOENT || error == ENOTDIR || error == ENXIO || error == ENODEV)) {
    return fail(kAttesterNotHere, "there is no Nitro Security Module here (/dev/nsm)",
                static_cast<std::uint64_t>(error));
  }
  if (fd < 0) return driver_error(error);
  std::unique_ptr<NitroAttester> attester(new NitroAttester(std::move(config), fd));
  struct stat info{};
  if (::fstat(fd, &info) != 0 || !S_ISCHR(info.st_mode)) {
    return fail(kAttesterNotHere, "there is no Nitro Security Module here: /dev/nsm is no character device");
  }
  CborWriter greeting;
  greeting.text("GetRandom");
  EML_TRY(const Bytes answer, attester->exchange(greeting.view()));
  EML_CHECK(decode_answer(answer, "GetRandom", "random"));
  return attester;
}

NitroAttester::~NitroAttester() { ::close(fd_); }

Result<MadeEvidence> NitroAttester::attest(const Binding& binding, ByteView binding_bytes) {
  EML_TRY(const Bytes user_data, value_to_sign(kind(), binding, binding_bytes));
  EML_TRY(const Bytes answer, exchange(attestation_request(binding, user_data)));
  EML_TRY(Bytes document, decode_nsm_document(answer));
  return MadeEvidence{.evidence = std::move(document), .endorsements = {}};
}

Result<Bytes> NitroAttester::exchange(ByteView request) const {
  return with_retries(config_.retry, [&] { return exchange_once(request); });
}

Result<Bytes> NitroAttester::exchange_once(ByteView request) const {
  Bytes sent = to_bytes(request);  // iovec has no const
  Bytes answer(kNsmResponseMax);
  NsmMessage message{.request = {.iov_base = sent.data(), .iov_len = sent.size()},
                     .response = {.iov_base = answer.data(), .iov_len = answer.size()}};
  if (const int error = config_.ioctl(fd_, message); error != 0) return driver_error(error);
  if (message.response.iov_len > answer.size()) {
    return fail(kAttesterAnswerTooLarge, "the NSM's driver says that its answer is longer than the space for it");
  }
  answer.resize(message.response.iov_len);
  return answer;
}

}  // namespace eml
