// CollateralPlan is what a piece of evidence needs of the vendors' services before it can be verified offline: which
// request to which service gives which items. Made from bytes that nobody verified, so a plan names no host and puts
// nothing into a path but digits, letters and '.', '_', '-'.
// Source: docs/OPERATING.md, "Collateral"; Intel PCS v4, AMD 57230 (KDS), Google's discovery document for Confidential
// Space, NVIDIA/nvtrust (RIM service).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "attestation/sevsnp/report.h"
#include "base/bytes.h"
#include "base/result.h"

namespace eml {

// The evidence does not say what would have to be asked for.
inline constexpr ErrorCode kCollateralUnknown{ErrorClass::kUnsupported, "collateral-unknown"};
// A service's answer does not hold the item in the form in which the service gives it.
inline constexpr ErrorCode kCollateralAnswer{ErrorClass::kMalformed, "collateral-answer"};

enum class CollateralService : std::uint8_t {
  kIntelPcs,
  kIntelCertificates,
  kAmdKds,
  kGoogle,
  kNvidiaRim,
  kNvidiaNras,
};

struct CollateralServiceInfo {
  CollateralService service;
  std::string_view name;      // "intel-pcs"
  std::string_view base_url;  // the vendor's own
};
// collateral_services are all of them, in the order of the enumeration.
std::span<const CollateralServiceInfo> collateral_services();

enum class CollateralSource : std::uint8_t {
  kBody,          // the body as it is
  kPemHeader,     // a header of the answer: PEM, URL-escaped
  kBase64Member,  // a member of the JSON in the body: base64
};

struct CollateralPart {
  std::string_view name;  // as `--collateral DIR` and kind_verifiers() have it
  std::string_view file;  // name with an ending
  CollateralSource source = CollateralSource::kBody;
  std::string_view key;  // of the header or the member
};

struct CollateralRequest {
  CollateralService service;
  std::string target;  // path and query, below the service's base URL
  std::vector<CollateralPart> parts;
};

// CollateralElsewhere is an item that no service gives, and where it comes from.
struct CollateralElsewhere {
  std::string_view name;
  std::string_view where;
};

struct CollateralPlan {
  std::vector<CollateralRequest> requests;
  std::vector<CollateralElsewhere> elsewhere;
};

// CollateralHints is what some evidence does not say: SNP reports before version 3 do not name the processor.
struct CollateralHints {
  std::optional<SnpProduct> product;
};

// plan_collateral: the errors of the kind's decoder; kCollateralUnknown. A kind that needs nothing gives an empty plan.
Result<CollateralPlan> plan_collateral(std::string_view kind, ByteView evidence, const CollateralHints& hints = {});

// extract_collateral takes a part out of an answer; `header` is the value of the header `part.key`. kCollateralAnswer.
Result<Bytes> extract_collateral(const CollateralPart& part, ByteView body, std::string_view header);

}  // namespace eml
