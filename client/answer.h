// Answer is what came back for one request, and the checks that it passed on arrival.
//
// check_answer judges a receipt against a peer whose evidence was verified when the channel opened, so nothing of the
// evidence is verified twice; the dossier that is saved is judged again, whole, by audit/verify_dossier.h.
// Source: docs/spec/receipt.md and docs/spec/dossier.md, links 1 to 11.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "api/embeddings.h"
#include "attestation/bundle.h"
#include "base/check.h"
#include "base/user_text.h"
#include "receipt/air.h"
#include "receipt/statement.h"

namespace eml {

inline constexpr ErrorCode kAnswerWithoutReceipt{ErrorClass::kUnauthentic, "answer-without-receipt"};
inline constexpr ErrorCode kAnswerWithoutCleanup{ErrorClass::kUnauthentic, "answer-without-cleanup"};
inline constexpr ErrorCode kAnswerStatements{ErrorClass::kMalformed, "answer-statements"};
inline constexpr ErrorCode kAnswerRefused{ErrorClass::kRejected, "answer-refused"};
inline constexpr ErrorCode kAnswerSequence{ErrorClass::kUnauthentic, "answer-sequence"};
inline constexpr ErrorCode kAnswerLinkUnchecked{ErrorClass::kUnauthentic, "answer-link-unchecked"};
inline constexpr ErrorCode kAnswerShape{ErrorClass::kMalformed, "answer-shape"};
inline constexpr ErrorCode kAnswerDuplicateId{ErrorClass::kUnauthentic, "answer-duplicate-id"};

// Exchange is one finished stream: what was asked, what came, and the statements in their order.
struct Exchange {
  UserText request;  // content as sent
  std::uint16_t status = 0;
  UserText response;           // content as received
  std::optional<Bytes> nonce;  // that was asked for
  std::vector<Bytes> statements;
};

// check_answer demands, for an answer with status 200, exactly a receipt and a cleanup statement, both by binding key
// 8 of `peer`, and every link between them, the bodies and the peer. Errors: kAnswerWithoutReceipt,
// kAnswerWithoutCleanup, kAnswerStatements, those of verify_receipt, appraise and the links.
Result<VerifiedReceipt> check_answer(const Exchange& exchange, const TrustedPeer& peer);

// check_refusal demands, for any other status, exactly one refusal statement by the same key over both bodies.
Result<RefusalStatement> check_refusal(const Exchange& exchange, const TrustedPeer& peer);

// ReceiptLedger watches one channel: each id once, and sequence numbers without gaps. Receipts of streams that overlap
// may arrive in another order than they were issued, so gaps are judged at the end.
class ReceiptLedger {
 public:
  // record fails with kAnswerSequence if the number was seen before, kAnswerDuplicateId if the id was.
  Status record(const AirClaims& claims);
  std::uint64_t count() const { return count_; }
  // complete is true if the numbers seen are exactly 0 .. count - 1.
  bool complete() const { return pending_.empty(); }

 private:
  std::uint64_t count_ = 0;
  std::uint64_t next_ = 0;              // every number below was seen
  std::vector<std::uint64_t> pending_;  // seen, above next_; at most the streams in flight
  std::vector<ByteArray<16>> ids_;      // sorted
};

}  // namespace eml
