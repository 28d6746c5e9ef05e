// CollateralForm says what one item of collateral is, so that it can be decoded by itself: before it is kept, and for
// the date up to which it is good. Nothing here is verified.
// Source: the tables "Collateral" of docs/spec/evidence/KIND.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "crypto/x509.h"

namespace eml {

inline constexpr ErrorCode kCollateralItem{ErrorClass::kMalformed, "collateral-item"};

enum class CollateralForm : std::uint8_t {
  kTcbInfo,         // Intel's JSON
  kQeIdentity,      // Intel's JSON
  kCertificate,     // DER
  kCertificates,    // PEM, or one in DER
  kRevocationList,  // DER
  kKeySet,          // JWKS
  kManifest,        // NVIDIA's signed XML
  kOther,           // made beside the evidence, and as long-lived as that
};

// collateral_form is the form of an item by its name; a name means the same in every kind.
CollateralForm collateral_form(std::string_view name);

// CollateralEnd is the last second at which something is good, and what says so: "nextUpdate", "notAfter" or "exp".
struct CollateralEnd {
  std::string_view what;
  UnixSeconds last = 0;
};

// decode_collateral_item reads an item that nobody vouches for; nothing if it says of no time that it ends then.
// kCollateralItem if it is not well formed.
Result<std::optional<CollateralEnd>> decode_collateral_item(CollateralForm form, ByteView bytes);

// earliest_end is the earliest notAfter of certificates; nothing if there are none.
std::optional<CollateralEnd> earliest_end(std::span<const Certificate> certificates);

}  // namespace eml
