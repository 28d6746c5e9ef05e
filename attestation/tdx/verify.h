// verify_quote: from a quote that is well formed to one that is genuine, by Intel's chain, revocation lists and signed
// statements, at a time that is passed in. Whether it is acceptable is another question (requirements.h).
// Source: docs/spec/evidence/tdx.md, steps 2 to 12.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "attestation/tdx/collateral.h"
#include "attestation/tdx/memo.h"
#include "attestation/tdx/pck.h"
#include "attestation/tdx/quote.h"
#include "attestation/tdx/steps.h"
#include "attestation/tdx/tcb_match.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "crypto/public_key.h"
#include "crypto/x509.h"

namespace eml::tdx {

// QuoteCollateral is what Intel says besides the quote. Nothing: it is missing.
struct QuoteCollateral {
  std::optional<ByteView> root_crl;           // DER
  std::optional<ByteView> pck_crl;            // DER
  std::optional<ByteView> tcb_signing_chain;  // PEM
  std::optional<ByteView> tcb_info;           // JSON
  std::optional<ByteView> qe_identity;        // JSON
};

// VerifierCache remembers decoded and verified signatures, so that the second quote of a platform costs one of them.
// Dates, revocation, matching and verdicts are never remembered, so that no verdict depends on a cache (section 9).
// Bound: kMemoEntriesMax things of each of six sorts, of at most kMemoKeyBytesMax bytes each. Not for several threads
// at once, unless the caller locks.
class VerifierCache {
 public:
  // size is how many things are kept.
  std::size_t size() const;

 private:
  friend class QuoteVerifier;
  Memo<PckChain> pck_chains_;
  Memo<RevocationList> crls_;
  Memo<Certificate> signers_;
  Memo<TcbInfo> tcb_infos_;
  Memo<QeIdentity> qe_identities_;
  Memo<PublicKey> attestation_keys_;
};

// VerifiedQuote is genuine. It views the bytes of its quote.
struct VerifiedQuote {
  UnverifiedQuote quote;
  PckExtension pck;
  std::string ca;  // common name of the PCK's issuer
  Hash32 root{};   // SHA-256 of the root certificate
  TcbVerdict tcb;  // may be Revoked or TcbNotSupported: step 13 refuses those
  std::uint64_t tcb_info_number = 0;
  std::uint64_t qe_identity_number = 0;  // tcbEvaluationDataNumber of each document
};

struct VerifyInput {
  const QuoteCollateral& collateral;
  Hash32 root{};  // SHA-256 of the one trusted root
  UnixSeconds time = 0;
  VerifierCache* cache = nullptr;  // may be null
};

// verify_quote goes through steps 2 to 12 and the evaluation of step 13, adding a line to `steps` for each.
Result<VerifiedQuote> verify_quote(const UnverifiedQuote& quote, const VerifyInput& input, Steps& steps);

}  // namespace eml::tdx
