// VerifiedRim is a reference integrity manifest of NVIDIA's: which measurements a driver or VBIOS version may show. It
// is a SWID tag (ISO/IEC 19770-2) with an enveloped XML signature.
// Source: docs/spec/evidence/nvidia.md, section 5.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace eml {

inline constexpr ErrorCode kNvidiaRimXml{ErrorClass::kMalformed, "nvidia-rim-xml"};
inline constexpr ErrorCode kNvidiaRimSignature{ErrorClass::kUnauthentic, "nvidia-rim-signature"};
inline constexpr ErrorCode kNvidiaRimMismatch{ErrorClass::kRejected, "nvidia-rim-mismatch"};

inline constexpr std::size_t kNvidiaRimBytesMax = 1U << 20;  // genuine ones have 20 KiB

// nvidia_rim_root is the SHA-256 of the DER of NVIDIA's CoRIM signing root.
Hash32 nvidia_rim_root();

// Measurements of one device by index, from 0: the block's number less one.
using GpuMeasurements = std::map<unsigned, Hash48>;

class VerifiedRim {
 public:
  // verify: kNvidiaRimXml (not the XML that attestation/nvidia/xml.h reads, or not such a manifest);
  // kNvidiaRimSignature (no signature, one of another form, a wrong one, or not up to `root` at `time`). What the
  // manifest says is read only after its signature stands. `root` is the SHA-256 of the one trusted root certificate.
  static Result<VerifiedRim> verify(ByteView xml, const Hash32& root, UnixSeconds time);

  const std::string& version() const { return version_; }  // of driver or VBIOS: "550.90.07", "96.00.9F.00.01"
  const std::string& product() const { return product_; }  // "GH100"
  // The active indices, each with the values of which the measured one must be one.
  const std::map<unsigned, std::vector<Hash48>>& active() const { return active_; }
  UnixSeconds signer_not_before() const { return signer_not_before_; }
  UnixSeconds signer_not_after() const { return signer_not_after_; }

 private:
  std::string version_;
  std::string product_;
  std::map<unsigned, std::vector<Hash48>> active_;
  UnixSeconds signer_not_before_ = 0;
  UnixSeconds signer_not_after_ = 0;
};

// RimComparison is what a comparison found. A measurement that the device does not report mismatches.
struct RimComparison {
  unsigned compared = 0;
  std::vector<unsigned> mismatching;
};

// kNvdec0Index is the one measurement that is void while NVDEC0 is disabled.
inline constexpr unsigned kNvdec0Index = 35;

struct RimRules {
  bool skip_nvdec0 = false;
};
RimComparison compare_rim(const VerifiedRim& rim, const GpuMeasurements& measured, RimRules rules);

}  // namespace eml
