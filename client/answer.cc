#include "client/answer.h"

#include <algorithm>

#include "audit/links.h"
#include "crypto/hash.h"

namespace eml {
namespace {

Result<VerifiedReceipt> check_receipt(const Exchange& exchange, const TrustedPeer& peer) {
  EML_TRY(VerifiedReceipt receipt, verify_receipt(exchange.statements[0], peer.binding.receipt_key));
  AirPolicy policy;
  policy.nonce = exchange.nonce;
  policy.request_hash = sha256(exchange.request.bytes());
  policy.response_hash = sha256(exchange.response.bytes());
  policy.attestation_doc_hash = peer.evidence_hash;
  // The peer's own evidence was accepted with that mode; check_links demands that the receipt does not claim more.
  policy.evaluation = peer.evaluation ? AirPolicy::Evaluation::kAccept : AirPolicy::Evaluation::kRefuse;
  EML_CHECK(appraise(receipt, policy));
  return receipt;
}

// A link that could not be checked is no better here than one that failed.
Status required(const LinkResult& link) {
  if (link.outcome() == Outcome::kPassed) return {};
  if (link.error()) return std::unexpected(*link.error());
  return fail(kAnswerLinkUnchecked, "a link between receipt and evidence could not be checked");
}

Status check_peer_links(const VerifiedReceipt& receipt, const TrustedPeer& peer) {
  const AirClaims& claims = receipt.claims();
  EML_CHECK(required(check_link_evidence(claims, peer.evidence_hash)));
  EML_CHECK(required(check_link_signer(receipt, peer.binding)));
  EML_CHECK(required(check_link_model(claims, peer, std::nullopt, nullptr)));
  EML_CHECK(required(check_link_measurements(claims, peer)));
  EML_CHECK(required(check_link_mode(claims, peer)));
  EML_CHECK(required(check_link_time(claims, peer.binding)));
  return required(check_link_configuration(claims, peer.binding));
}

}  // namespace

Result<VerifiedReceipt> check_answer(const Exchange& exchange, const TrustedPeer& peer) {
  if (exchange.statements.empty()) return fail(kAnswerWithoutReceipt, "the answer came without a receipt");
  if (exchange.statements.size() == 1)
    return fail(kAnswerWithoutCleanup, "the answer came without a cleanup statement");
  if (exchange.statements.size() > 2) {
    return fail(kAnswerStatements, "the answer came with more statements than it may have", exchange.statements.size());
  }
  EML_TRY(VerifiedReceipt receipt, check_receipt(exchange, peer));
  EML_CHECK(check_peer_links(receipt, peer));
  if (!exchange.nonce && receipt.claims().nonce)
    return fail(kLinkNonce, "the receipt has a nonce that nobody asked for");
  EML_CHECK(required(check_link_cleanup(receipt, ByteView(exchange.statements[1]))));
  return receipt;
}

Result<RefusalStatement> check_refusal(const Exchange& exchange, const TrustedPeer& peer) {
  if (exchange.statements.size() != 1) {
    return fail(kAnswerStatements, "a refusal has one statement", exchange.statements.size(), 1);
  }
  EML_TRY(RefusalStatement refusal, verify_refusal(exchange.statements[0], peer.binding.receipt_key));
  if (refusal.request_hash != sha256(exchange.request.bytes())) {
    return fail(kLinkRequestHash, "the refusal is about another request");
  }
  if (refusal.response_hash != sha256(exchange.response.bytes())) {
    return fail(kLinkResponseHash, "the refusal is about another response");
  }
  if (refusal.attestation_doc_hash != peer.evidence_hash) {
    return fail(kLinkEvidenceHash, "the refusal names other evidence than this channel's");
  }
  if (refusal.status != exchange.status) return fail(kAnswerStatements, "the refusal states another status");
  return refusal;
}

Status ReceiptLedger::record(const AirClaims& claims) {
  const std::uint64_t number = claims.sequence_number;
  if (number < next_ || std::ranges::find(pending_, number) != pending_.end()) {
    return fail(kAnswerSequence, "a sequence number came twice on this channel", number);
  }
  const auto place = std::ranges::lower_bound(ids_, claims.cti);
  if (place != ids_.end() && *place == claims.cti) {
    return fail(kAnswerDuplicateId, "two receipts of this channel have the same id", number);
  }
  ids_.insert(place, claims.cti);
  pending_.push_back(number);
  ++count_;
  for (auto found = std::ranges::find(pending_, next_); found != pending_.end();
       found = std::ranges::find(pending_, next_)) {
    pending_.erase(found);
    ++next_;
  }
  return {};
}

}  // namespace eml
