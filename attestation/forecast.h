// Forecast says how long a piece of evidence will still verify with the collateral that is there: at which second it
// begins to fail, because of which item, and which parts of its firmware are behind.
//
// An end is not believed because a document states it: the kind's own judge is asked at the second after it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attestation/judge.h"
#include "attestation/kinds.h"
#include "base/clock.h"
#include "base/result.h"

namespace eml {

// ForecastEnd is the last second at which an item is good. `item` is a name of collateral, or "evidence".
struct ForecastEnd {
  std::string item;
  std::string_view what;  // "nextUpdate", "notAfter" or "exp" (with the leeway that the kind grants)
  UnixSeconds last = 0;
};

// TcbGap is a component that is lower than it is at `level`: TDX and SGX "UpToDate" (or the status of the highest level
// if none is), SNP "current", which is what the machine runs now.
struct TcbGap {
  std::string component;  // "sgxtcbcomponents[3]", "pcesvn", "tdx_module", "qe", "reported ucode", ...
  std::uint64_t have = 0;
  std::uint64_t want = 0;
  std::string_view level;
};

struct Forecast {
  EvidenceVerdict now;               // at input.time
  std::vector<ForecastEnd> ends;     // of all that says one, the earliest first; some may be past, or not matter
  std::optional<ForecastEnd> first;  // the one after which it fails; nothing if it fails now, or never will
  std::optional<Error> then;         // how it fails after `first`
  std::vector<TcbGap> behind;
};

Forecast forecast_evidence(const KindVerifier& kind, const EvidenceInput& input);

}  // namespace eml
