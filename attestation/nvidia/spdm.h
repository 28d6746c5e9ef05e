// UnverifiedGpuReport is one GPU's or switch's answer to GET_MEASUREMENTS of SPDM 1.1, request and response, as it
// arrived: laid out as it must be, and nothing more.
// Source: docs/spec/evidence/nvidia.md, section 2 (DMTF DSP0274 1.1.0, 10.11; NVIDIA/nvtrust).
#pragma once

#include <map>
#include <optional>
#include <string>

#include "attestation/nvidia/rim.h"
#include "base/bytes.h"
#include "base/result.h"

namespace eml {

inline constexpr ErrorCode kNvidiaParse{ErrorClass::kMalformed, "nvidia-parse"};
inline constexpr ErrorCode kNvidiaTrailingData{ErrorClass::kMalformed, "nvidia-trailing-data"};

inline constexpr std::size_t kGpuReportBytesMax = 128 * 1024;  // genuine ones have 4 KiB

// OpaqueType: what we read of the device's opaque data; other types are carried along and ignored.
enum class OpaqueType : std::uint16_t {
  kDriverVersion = 3,
  kVbiosVersion = 6,
  kNvdec0Status = 11,
  kChipSku = 15,
  kProject = 17,
  kProjectSku = 18,
  kFwid = 20,
  kProtectedPcieStatus = 21,
  kChipInfo = 35,
  kFeatureFlag = 36,
};

class UnverifiedGpuReport {
 public:
  // decode: kNvidiaParse, kNvidiaTrailingData; the integer is an offset.
  static Result<UnverifiedGpuReport> decode(ByteView evidence);

  const Hash32& nonce() const { return nonce_; }  // of the request: ours
  const GpuMeasurements& measurements() const { return measurements_; }
  // opaque returns the value of one type; nullopt if absent.
  std::optional<ByteView> opaque(OpaqueType type) const;
  // opaque_text is an ASCII value up to its first NUL; empty if absent or not printable.
  std::string opaque_text(OpaqueType type) const;
  // vbios_version is "96.00.9F.00.01": written so by switches, eight bytes in GPUs.
  std::string vbios_version() const;
  bool nvdec0_disabled() const;
  // has_expected_header: an SPDM 1.1 GET_MEASUREMENTS request for all blocks with signature, and MEASUREMENTS.
  bool has_expected_header() const { return expected_header_; }
  ByteView signed_bytes() const { return ByteView(bytes_).first(signed_size_); }
  ByteView signature() const { return ByteView(bytes_).subspan(signed_size_); }

 private:
  Bytes bytes_;
  std::size_t signed_size_ = 0;
  Hash32 nonce_{};
  bool expected_header_ = false;
  GpuMeasurements measurements_;
  struct Span {
    std::size_t offset;
    std::size_t size;
  };
  std::map<std::uint16_t, Span> opaque_;
};

}  // namespace eml
