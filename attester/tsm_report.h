// TsmReports asks the kernel for attestation reports: TDX quotes and SEV-SNP reports by one interface.
//
// Every request has a directory of its own and counts its writes: if `generation` says that another wrote there, the
// report may answer the other's question, so it is thrown away and asked for again in a new directory.
// Source: docs/spec/evidence.md, "Making evidence"; Linux, Documentation/ABI/testing/configfs-tsm-report.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "attester/retry.h"
#include "attester/tsm_directory.h"
#include "base/clock.h"

namespace eml {

inline constexpr ErrorCode kTsmProviderUnknown{ErrorClass::kUnsupported, "tsm-provider-unknown"};
inline constexpr ErrorCode kTsmProviderOther{ErrorClass::kUnavailable, "tsm-provider-other"};

inline constexpr std::size_t kTsmInblobBytes = 64;  // the kernel takes 1 to 64; REPORTDATA always has 64
inline constexpr std::size_t kTsmBlobBytesMax =
    1U << 20;  // kernels stop at 32 KiB, newer ones at 16 MiB; a bundle at 1 MiB

// TsmProvider is how the kernel names the format of `outblob`.
enum class TsmProvider : std::uint8_t { kTdxGuest, kSevGuest };

struct TsmReport {
  Bytes outblob;  // never empty
  Bytes auxblob;  // sev_guest: certificate table, if the host gave one
};

// TsmReports is thread-safe as its directory and its Random are.
class TsmReports {
 public:
  TsmReports(std::shared_ptr<TsmDirectory> directory, Random& random, Retry retry)
      : directory_(std::move(directory)), random_(random), retry_(std::move(retry)) {}

  // provider asks which one this guest has. kAttesterNotHere without one (no configfs-tsm, or ENXIO);
  // kTsmProviderUnknown for a name that is not of TsmProvider; else as report.
  Result<TsmProvider> provider() const;

  // report has `inblob` signed by `wanted`. Errors: kTsmProviderOther if the guest has another one; kAttesterBusy if
  // the device was busy or another process wrote into our directory at every try; kAttesterAnswer for an empty report
  // or an attribute that is not what its document says; kAttesterAnswerTooLarge; kAttesterDevice with errno for all
  // else.
  Result<TsmReport> report(TsmProvider wanted, const ByteArray<kTsmInblobBytes>& inblob) const;

 private:
  class Entry;
  Result<TsmReport> report_once(TsmProvider wanted, const ByteArray<kTsmInblobBytes>& inblob) const;

  std::shared_ptr<TsmDirectory> directory_;
  Random& random_;
  Retry retry_;
};

}  // namespace eml
