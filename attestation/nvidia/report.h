// VerifiedGpuReport is a device's measurements, signed by a key that chains to NVIDIA's device identity root.
// Source: docs/spec/evidence/nvidia.md, section 4.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "attestation/nvidia/spdm.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "crypto/x509.h"

namespace eml {

inline constexpr ErrorCode kNvidiaNoChain{ErrorClass::kUnauthentic, "nvidia-no-chain-or-signature"};
inline constexpr ErrorCode kNvidiaCertChain{ErrorClass::kUnauthentic, "nvidia-cert-chain"};
inline constexpr ErrorCode kNvidiaUntrustedRoot{ErrorClass::kUnauthentic, "nvidia-untrusted-root"};
inline constexpr ErrorCode kNvidiaCertificateExpired{ErrorClass::kRejected, "nvidia-certificate-expired"};
inline constexpr ErrorCode kNvidiaCertificateNotYetValid{ErrorClass::kRejected, "nvidia-certificate-not-yet-valid"};
inline constexpr ErrorCode kNvidiaReportSignature{ErrorClass::kUnauthentic, "nvidia-report-signature"};
inline constexpr ErrorCode kNvidiaHeader{ErrorClass::kUnsupported, "nvidia-header"};
inline constexpr ErrorCode kNvidiaFwid{ErrorClass::kUnauthentic, "nvidia-fwid"};

inline constexpr std::size_t kGpuChainSize = 5;  // leaf, boot ROM, provisioner, chip, root

// nvidia_device_root is the SHA-256 of the DER of NVIDIA's Device Identity CA.
Hash32 nvidia_device_root();

class VerifiedGpuReport {
 public:
  // verify: kNvidiaCertChain (not five certificates that are a chain), kNvidiaUntrustedRoot, kNvidiaCertificateExpired,
  // kNvidiaCertificateNotYetValid, kNvidiaReportSignature, kNvidiaHeader, kNvidiaFwid, in this order. `chain` is leaf
  // first; `root` is the SHA-256 of the one trusted root certificate.
  static Result<VerifiedGpuReport> verify(const UnverifiedGpuReport& report, std::span<const Certificate> chain,
                                          const Hash32& root, UnixSeconds time);

  const UnverifiedGpuReport& report() const { return report_; }  // what it says, now signed
  const std::string& chip() const { return chip_; }              // "GH100", "GB100", "LS_10", by its certificate
  std::string_view architecture() const;  // "HOPPER", "BLACKWELL", "SWITCH_LS10"; empty for another chip
  const Hash32& root() const { return root_; }
  const Hash32& device() const { return device_; }  // SHA-256 of the boot ROM's certificate: this one device

 private:
  explicit VerifiedGpuReport(UnverifiedGpuReport report) : report_(std::move(report)) {}
  UnverifiedGpuReport report_;
  std::string chip_;
  Hash32 root_{};
  Hash32 device_{};
};

}  // namespace eml
