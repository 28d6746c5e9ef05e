#include "attestation/tdx/verify.h"

#include <algorithm>
#include <vector>

#include "attestation/tdx/errors.h"
#include "crypto/hash.h"

namespace eml::tdx {
namespace {

constexpr std::string_view kTcbSignerName = "Intel SGX TCB Signing";

// --- What depends on bytes alone, and may be remembered. ---

Result<RevocationList> verify_crl(ByteView der, const Certificate& issuer, const ErrorCode& wrong_signature) {
  auto crl = RevocationList::decode_der(der);
  if (!crl) return fail(kParse, "not a revocation list", crl.error().first());
  if (!crl->has_crl_number() || !crl->has_authority_key_identifier() || !crl->next_update()) {
    return fail(kParse, "a revocation list without number, key identifier or next update");
  }
  if (crl->issuer() != issuer.subject()) return fail(kCrlIssuer, "the revocation list is another issuer's");
  if (!crl->signed_by(issuer.public_key())) return fail(wrong_signature, "the issuer did not sign its revocation list");
  return crl;
}

Result<Certificate> verify_tcb_signer(ByteView pem, const Certificate& root) {
  const auto chain = decode_pem_certificates(pem);
  if (!chain) return fail(kTcbSigningChain, "the TCB signing chain is not PEM certificates", chain.error().first());
  if (chain->size() != 2) return fail(kTcbSigningChain, "the TCB signing chain is not two certificates", chain->size());
  const Certificate& signer = chain->front();
  if (chain->back().fingerprint() != root.fingerprint()) {
    return fail(kTcbSigningChain, "the TCB signing chain ends in another root");
  }
  if (signer.subject_common_name() != kTcbSignerName) return fail(kTcbSigningChain, "the TCB signer has another name");
  if (!verify_chain(*chain, root, 0, {.strict = true, .judge_dates = false})) {
    return fail(kTcbSigningChain, "the root did not sign the TCB signer");
  }
  return signer;
}

template <typename T>
Result<T> verify_signed_text(Result<T> decoded, const Certificate& signer, const ErrorCode& wrong_signature) {
  if (!decoded) return decoded;
  const SignedText& text = decoded->text;
  if (!signer.public_key().verify(SignatureScheme::kEcdsaP256Sha256, text.signed_bytes, text.signature)) {
    return fail(wrong_signature, "the TCB signer did not sign this collateral");
  }
  return decoded;
}

// Steps 9.1 to 9.3: the attestation key that the QE's report vouches for.
Result<PublicKey> verify_attestation_key(const UnverifiedQuote& quote, const Certificate& pck) {
  auto key = PublicKey::from_point(KeyKind::kP256, quote.attestation_key);
  if (!key) return fail(kAttestationKey, "the attestation key is not a point on P-256");
  if (!pck.public_key().verify(SignatureScheme::kEcdsaP256Sha256, quote.qe_report_bytes, quote.qe_report_signature)) {
    return fail(kQeReportSignature, "the machine's key did not sign the QE report");
  }
  const Hash32 digest = sha256(concat(quote.attestation_key, quote.qe_auth_data));
  const ByteView bound(quote.qe_report.report_data);
  const bool zeros = std::ranges::all_of(bound.subspan(32), [](std::uint8_t byte) { return byte == 0; });
  if (!equal(bound.first(32), digest) || !zeros) {
    return fail(kQeReportDataBinding, "the QE report is not about this attestation key");
  }
  return key;
}

// --- What depends on the time, or on several documents. ---

Status judge_dates(const Validity& validity, UnixSeconds time) {
  if (time < validity.issue_date) return fail(kCollateralNotYetValid, "the collateral is not issued yet");
  if (time > validity.next_update) return fail(kCollateralExpired, "the collateral should have been replaced");
  return {};
}

Status judge_dates(const RevocationList& crl, UnixSeconds time) {
  if (time < crl.this_update()) return fail(kCrlNotYetValid, "the revocation list is not issued yet");
  if (time > *crl.next_update()) return fail(kCrlExpired, "the revocation list should have been replaced");
  return {};
}

Status judge_together(const UnverifiedQuote& quote, const PckExtension& pck, const TcbInfo& info,
                      const QeIdentity& identity) {
  const bool is_td = quote.td() != nullptr;
  // Version 2 knows SGX only, and decodes so.
  if ((info.id == TcbInfoId::kTdx) != is_td) return fail(kTcbInfoType, "the TCB info is for the other TEE");
  if ((identity.id == QeIdentityId::kTdQe) != is_td) {
    return fail(kQeIdentityMismatch, "the identity is the other quoting enclave's");
  }
  if (info.fmspc != pck.fmspc) return fail(kFmspcMismatch, "the TCB info is for another FMSPC");
  if (info.pceid != pck.pceid) return fail(kPceidMismatch, "the TCB info is for another PCE");
  return {};
}

// The seam's attributes must be zero besides, as Intel's library has it: there is no other genuine value.
bool attributes_hold(const ByteArray<8>& attributes, const TdxModule& module) {
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    if (attributes[i] != 0 || (attributes[i] & module.attributes_mask[i]) != module.attributes[i]) return false;
  }
  return true;
}

Status judge_module(const UnverifiedQuote& quote, const TcbInfo& info) {
  const TdReport* td = quote.td();
  if (td == nullptr) return {};
  const std::uint8_t version = td->tee_tcb_svn[1];
  const TdxModuleIdentity* identity = version == 0 ? nullptr : find_identity(info, version);
  if (version != 0 && identity == nullptr) return fail(kTdxModuleMismatch, "no identity of this TDX module", version);
  const TdxModule& module = identity == nullptr ? *info.module : identity->module;
  if (td->mrsignerseam != module.mrsigner) return fail(kTdxModuleMismatch, "the TDX module has another signer");
  if (!attributes_hold(td->seamattributes, module)) {
    return fail(kTdxModuleMismatch, "the TDX module has other attributes");
  }
  return {};
}

template <std::size_t n>
bool masked_equal(const ByteArray<n>& value, const ByteArray<n>& mask, const ByteArray<n>& wanted) {
  for (std::size_t i = 0; i < n; ++i) {
    if ((value[i] & mask[i]) != wanted[i]) return false;
  }
  return true;
}

Status judge_qe(const EnclaveReport& report, const QeIdentity& identity) {
  if (!masked_equal(report.misc_select, identity.misc_select_mask, identity.misc_select)) {
    return fail(kQeIdentityMismatch, "the QE has another MISCSELECT");
  }
  if (!masked_equal(report.attributes, identity.attributes_mask, identity.attributes)) {
    return fail(kQeIdentityMismatch, "the QE has other attributes");
  }
  if (report.mr_signer != identity.mr_signer) return fail(kQeIdentityMismatch, "the QE has another signer");
  if (report.isv_prod_id != identity.isv_prod_id) return fail(kQeIdentityMismatch, "the QE is another product");
  return {};
}

Result<ByteView> present(const std::optional<ByteView>& collateral) {
  if (!collateral) return fail(kMissingCollateral, "collateral that the procedure needs is missing");
  if (collateral->size() > kCollateralBytesMax) return fail(kParse, "the collateral is too large", collateral->size());
  return *collateral;
}

}  // namespace

std::size_t VerifierCache::size() const {
  return pck_chains_.size() + crls_.size() + signers_.size() + tcb_infos_.size() + qe_identities_.size() +
         attestation_keys_.size();
}

// QuoteVerifier holds what the steps of one verification share.
class QuoteVerifier {
 public:
  QuoteVerifier(const UnverifiedQuote& quote, const VerifyInput& input) : quote_(quote), input_(input) {}

  Result<VerifiedQuote> run(Steps& steps) {
    EML_TRY(const auto chain, steps.note(step::kPckChain, pck_chain()));
    EML_TRY(const auto root_crl, steps.note(step::kRootCrl, this->root_crl(*chain)));
    EML_CHECK(steps.note(step::kPckCrl, pck_crl(*chain)));
    EML_TRY(const auto signer, steps.note(step::kTcbSigner, tcb_signer(*chain, *root_crl)));
    EML_TRY(const auto info, steps.note(step::kTcbInfo, tcb_info(*signer)));
    EML_TRY(const auto identity, steps.note(step::kQeIdentity, qe_identity(*signer)));
    EML_CHECK(steps.note(step::kTogether, judge_together(quote_, chain->extension, *info, *identity)));
    EML_TRY(const auto key, steps.note(step::kQeReport, attestation_key(*chain)));
    EML_CHECK(steps.note(step::kQeHolds, judge_qe(quote_.qe_report, *identity)));
    EML_CHECK(steps.note(step::kQuoteSignature, quote_signature(*key)));
    EML_CHECK(steps.note(step::kModule, judge_module(quote_, *info)));
    auto tcb = evaluate_tcb(quote_, chain->extension, *info, *identity);
    if (!tcb) return steps.note(step::kTcbStatus, Result<VerifiedQuote>(std::unexpected(tcb.error())));
    return VerifiedQuote{.quote = quote_,
                         .pck = chain->extension,
                         .ca = chain->ca.subject_common_name(),
                         .root = input_.root,
                         .tcb = *std::move(tcb),
                         .tcb_info_number = info->evaluation_data_number,
                         .qe_identity_number = identity->evaluation_data_number};
  }

 private:
  // memo picks one of the cache's memories, if there is a cache.
  template <typename T>
  Memo<T>* memo(Memo<T> VerifierCache::* which) const {
    return input_.cache == nullptr ? nullptr : &(input_.cache->*which);
  }

  Result<std::shared_ptr<const PckChain>> pck_chain() const {
    EML_TRY(auto chain, remembered(memo(&VerifierCache::pck_chains_), input_.root, quote_.cert_data,
                                   [&] { return verify_pck_chain(quote_.cert_data, input_.root); }));
    EML_CHECK(judge_dates(chain->pck, input_.time));
    EML_CHECK(judge_dates(chain->ca, input_.time));
    EML_CHECK(judge_dates(chain->root, input_.time));
    return chain;
  }

  Result<std::shared_ptr<const RevocationList>> crl(const std::optional<ByteView>& der, const Certificate& issuer,
                                                    const ErrorCode& wrong_signature) const {
    EML_TRY(const ByteView bytes, present(der));
    EML_TRY(auto crl, remembered(memo(&VerifierCache::crls_), issuer.fingerprint(), bytes,
                                 [&] { return verify_crl(bytes, issuer, wrong_signature); }));
    EML_CHECK(judge_dates(*crl, input_.time));
    return crl;
  }

  Result<std::shared_ptr<const RevocationList>> root_crl(const PckChain& chain) const {
    EML_TRY(auto list, crl(input_.collateral.root_crl, chain.root, kRootCrlSignature));
    if (list->revokes(chain.ca.serial())) return fail(kPckCaRevoked, "the PCK's CA is revoked");
    return list;
  }

  Status pck_crl(const PckChain& chain) const {
    EML_TRY(const auto list, crl(input_.collateral.pck_crl, chain.ca, kPckCrlSignature));
    if (list->revokes(chain.pck.serial())) return fail(kPckRevoked, "the machine's certificate is revoked");
    return {};
  }

  Result<std::shared_ptr<const Certificate>> tcb_signer(const PckChain& chain, const RevocationList& root_crl) const {
    EML_TRY(const ByteView pem, present(input_.collateral.tcb_signing_chain));
    EML_TRY(auto signer, remembered(memo(&VerifierCache::signers_), input_.root, pem,
                                    [&] { return verify_tcb_signer(pem, chain.root); }));
    EML_CHECK(judge_dates(*signer, input_.time));
    if (root_crl.revokes(signer->serial())) return fail(kTcbSignerRevoked, "the TCB signer is revoked");
    return signer;
  }

  Result<std::shared_ptr<const TcbInfo>> tcb_info(const Certificate& signer) const {
    EML_TRY(const ByteView json, present(input_.collateral.tcb_info));
    EML_TRY(auto info, remembered(memo(&VerifierCache::tcb_infos_), signer.fingerprint(), json, [&] {
              return verify_signed_text(decode_tcb_info(json), signer, kTcbInfoSignature);
            }));
    EML_CHECK(judge_dates(info->validity, input_.time));
    return info;
  }

  Result<std::shared_ptr<const QeIdentity>> qe_identity(const Certificate& signer) const {
    EML_TRY(const ByteView json, present(input_.collateral.qe_identity));
    EML_TRY(auto identity, remembered(memo(&VerifierCache::qe_identities_), signer.fingerprint(), json, [&] {
              return verify_signed_text(decode_qe_identity(json), signer, kQeIdentitySignature);
            }));
    EML_CHECK(judge_dates(identity->validity, input_.time));
    return identity;
  }

  Result<std::shared_ptr<const PublicKey>> attestation_key(const PckChain& chain) const {
    // The same bytes are cut differently in version 3, so what they mean is part of what they are.
    const ByteArray<1> form{static_cast<std::uint8_t>(quote_.header.version == 3 ? 3 : 4)};
    return remembered(memo(&VerifierCache::attestation_keys_), chain.pck.fingerprint(),
                      concat(form, quote_.key_certification),
                      [&] { return verify_attestation_key(quote_, chain.pck); });
  }

  Status quote_signature(const PublicKey& key) const {
    if (!key.verify(SignatureScheme::kEcdsaP256Sha256, quote_.signed_bytes, quote_.signature)) {
      return fail(kQuoteSignature, "the attestation key did not sign the quote");
    }
    return {};
  }

  const UnverifiedQuote& quote_;
  const VerifyInput& input_;
};

Result<VerifiedQuote> verify_quote(const UnverifiedQuote& quote, const VerifyInput& input, Steps& steps) {
  return QuoteVerifier(quote, input).run(steps);
}

}  // namespace eml::tdx
