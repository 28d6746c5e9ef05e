// TpmDevice speaks TPM 2.0 commands over one open file: the kernel's /dev/tpmrm0, or a software TPM's Unix socket.
// make_tpm_quote is all that is asked of it.
//
// The commands are written here, four of them, rather than by tpm2-tss: Debian ships that as shared libraries that
// bring a second OpenSSL into the process, and a program that attests its own bytes is linked statically (cmake/
// EmlDependencies.cmake).
// Source: TCG TPM 2.0 Library, Part 1, 18 (command and response form), and Part 3 (the commands named below).
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace eml {

inline constexpr ErrorCode kTpmDeviceNotHere{ErrorClass::kUnavailable, "tpm-device-not-here"};
inline constexpr ErrorCode kTpmDeviceFailed{ErrorClass::kUnavailable, "tpm-device-failed"};    // integer: errno
inline constexpr ErrorCode kTpmDeviceRefused{ErrorClass::kUnavailable, "tpm-device-refused"};  // integer: TPM_RC
inline constexpr ErrorCode kTpmDeviceAnswer{ErrorClass::kMalformed, "tpm-device-answer"};
inline constexpr ErrorCode kTpmRegistersMoved{ErrorClass::kUnavailable, "tpm-registers-moved"};

class TpmDevice {
 public:
  // open takes a character device or a Unix socket. kTpmDeviceNotHere if `path` is neither; kTpmDeviceFailed.
  static Result<TpmDevice> open(const std::string& path);
  ~TpmDevice();
  TpmDevice(TpmDevice&& other) noexcept;
  TpmDevice& operator=(TpmDevice&&) = delete;

  // transact sends one command and returns what the response has after its header of ten bytes. A TPM that says
  // TPM_RC_RETRY is asked again at once, a few times.
  // kTpmDeviceFailed, kTpmDeviceRefused, kTpmDeviceAnswer.
  Result<Bytes> transact(ByteView command);

 private:
  Result<Bytes> transact_once(ByteView command);
  explicit TpmDevice(int fd) : fd_(fd) {}
  int fd_;
};

// decode_tpm_response checks header and size of a response and returns the rest. kTpmDeviceRefused, kTpmDeviceAnswer.
Result<Bytes> decode_tpm_response(ByteView response);

// MadeTpmQuote is evidence of kind tpm with the collateral that only this machine has, each by its name in
// docs/spec/evidence/tpm.md.
struct MadeTpmQuote {
  Bytes attest;
  Bytes signature;        // TPMT_SIGNATURE
  Bytes pcrs;             // JSON
  Bytes ak_tpm2b_public;  // TPM2B_PUBLIC
};

// make_tpm_quote makes the attestation key (a primary key of the endorsement hierarchy by a fixed template, so the same
// at every call), has it quote the SHA-256 bank's PCRs 0 to 15 over `nonce` (at most 64 bytes), and flushes it.
// kTpmRegistersMoved if the registers were extended while they were read, each time that it was tried; else transact's.
Result<MadeTpmQuote> make_tpm_quote(TpmDevice& device, ByteView nonce);

}  // namespace eml
