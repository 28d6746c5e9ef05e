// Kind `local`: software evidence for evaluation. A key that was made on the machine signs the binding's digest and the
// program's SHA-384. It says that the holder of that key vouches for these bytes, and nothing about memory or the host;
// it is never production.
// This side judges; attester/local_attester.h makes.
// Source: docs/spec/evidence.md, "Kind local".
#pragma once

#include <string_view>
#include <vector>

#include "attestation/kind.h"
#include "base/bytes.h"
#include "base/result.h"
#include "crypto/cose/sign1.h"
#include "crypto/ed25519.h"

namespace eml {

inline constexpr ErrorCode kLocalMalformed{ErrorClass::kMalformed, "local-malformed"};
inline constexpr ErrorCode kLocalRootUnknown{ErrorClass::kUnauthentic, "local-root-unknown"};
inline constexpr ErrorCode kLocalSignature{ErrorClass::kUnauthentic, "local-signature"};

// kLocalType is the COSE `typ` header, so that no receipt or statement passes for evidence, nor the other way round.
inline constexpr std::string_view kLocalType = "application/vnd.ephemeralml.local-evidence+cbor";

// local_evidence_header is the whole protected header: {1: -8, 16: kLocalType}.
CoseHeader local_evidence_header();

// LocalStatement is what the root signs.
struct LocalStatement {
  Hash32 digest{};          // D
  Hash48 binary{};          // SHA-384 of the program's file
  Ed25519PublicKey root{};  // the signer's own key: a name to look up among the pinned roots, never trusted
};

// decode_local_evidence reads the statement without verifying anything: for `evidence show` and policy drafts.
// kLocalMalformed otherwise.
Result<LocalStatement> decode_local_evidence(ByteView evidence);

// verify_local_evidence verifies the signature under one of `roots`. kLocalMalformed; kLocalRootUnknown if the named
// root is not among them; kLocalSignature.
Result<VerifiedEvidence> verify_local_evidence(ByteView evidence, const std::vector<Ed25519PublicKey>& roots);

}  // namespace eml
