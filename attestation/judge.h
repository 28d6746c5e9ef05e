// EvidenceInput and EvidenceVerdict: the one shape in which evidence of any kind is judged offline, whatever hardware
// made it: bytes, collateral by name, a time, requirements; and out comes a verdict with who vouches for what.
//
// Each kind has decode, verify and appraise in its own folder; its judge_KIND calls the three in the order of
// docs/spec/evidence/KIND.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attestation/kind.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/result.h"
#include "encoding/json.h"

namespace eml {

// Collateral is what must stand beside the evidence, by the names of docs/spec/evidence/KIND.md ("tcb_info", "vek",
// "jwks", ...). A name that is not there is collateral that is missing, and refused where it is needed.
using Collateral = std::map<std::string, Bytes, std::less<>>;

struct EvidenceInput {
  ByteView evidence;
  const Collateral* collateral = nullptr;
  UnixSeconds time = 0;  // T: the only clock there is
  // The requirements, a JSON object with the kind's members (docs/spec/evidence/KIND.md, "Requirements"); null: the
  // defaults of that page. An unknown member, or one of the wrong type, is an error and not ignored.
  const Json* requirements = nullptr;
  // A root (DER or PEM certificates, or a JWKS where the kind has one) in place of the built-in ones. The verdict says
  // so.
  std::optional<Bytes> root;
};

struct EvidenceVerdict {
  // The first failure, or nothing: then the evidence is valid. The code's name is "KIND-class" with the class of the
  // kind's page ("tdx-quote-signature").
  std::optional<Error> error;
  VerifiedEvidence evidence;  // meaningful only without an error
  Json fields;                // what the evidence says, by the page's names; set once it is decoded
  std::string tcb_status;     // empty if the kind has none
  std::vector<std::string> advisories;
  Json details;             // further facts by name ("platform_status", "token_type", ...); may be an empty object
  Checks checks;            // one line a step; those after a failure are not checked
  bool root_given = false;  // never better than "verified under a root that you gave"
};

EvidenceVerdict judge_tdx(const EvidenceInput& input);  // Intel TDX and SGX quotes
EvidenceVerdict judge_sevsnp(const EvidenceInput& input);
EvidenceVerdict judge_nitro(const EvidenceInput& input);
EvidenceVerdict judge_confidential_space(const EvidenceInput& input);
EvidenceVerdict judge_tpm(const EvidenceInput& input);
EvidenceVerdict judge_nvidia(const EvidenceInput& input);  // SPDM measurements, RIM, or an NRAS token

}  // namespace eml
