// EvidenceInputs is what the commands that judge evidence read: a kind, the evidence, collateral by name, requirements,
// a time, a root.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attestation/judge.h"
#include "attestation/kinds.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "encoding/json.h"

namespace eml::cli {

inline constexpr std::size_t kEvidenceFileBytesMax = std::size_t{16} << 20;  // the largest genuine one: a RIM, 300 KiB

// kCollateralList is the file in which `evidence collect` writes down what it collected; it is no collateral.
inline constexpr std::string_view kCollateralList = "collateral.json";

struct EvidenceOptions {
  std::string kind;
  std::string evidence;
  std::vector<std::string> collateral;
  std::string policy;
  std::string time;
  std::string nonce;
  std::string root;
  bool json = false;
};

struct EvidenceInputs {
  const KindVerifier* kind = nullptr;
  Bytes evidence;
  Collateral collateral;
  std::optional<Json> requirements;
  UnixSeconds time = 0;
  std::optional<Bytes> root;

  // view is what a judge takes; it lives as long as this does.
  EvidenceInput view() const;
};

// EvidenceRead is nothing, or the exit status of a complaint that was printed already.
using EvidenceRead = std::expected<void, int>;

// read_kind finds a kind that has a verifier.
std::expected<const KindVerifier*, int> read_kind(const std::string& name);

// read_evidence_inputs reads all that the options name. Collateral is a directory of NAME.ext, or NAME=FILE.
EvidenceRead read_evidence_inputs(const EvidenceOptions& options, EvidenceInputs& inputs);

}  // namespace eml::cli
