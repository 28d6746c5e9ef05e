// The signing key's part of step 1 of docs/spec/evidence/tpm.md.
#include "attestation/tpm/key_trust.h"

namespace eml {
namespace {

std::unexpected<Error> malformed(Literal what) { return fail(kTpmAkParse, what); }

// KeyForms collects the key; every form after the first should be the same key.
class KeyForms {
 public:
  Status add(PublicKey key) {
    if (key_) {
      one_key_ = one_key_ && key_->spki() == key.spki();
    } else {
      key_ = std::move(key);
    }
    return {};
  }

  Status add_pem(ByteView pem) {
    auto key = PublicKey::decode_pem(pem);
    if (!key) return malformed("the key is not a public key in PEM");
    return add(*std::move(key));
  }

  Status add_tpm_public(Result<TpmPublic> decoded) {
    if (!decoded) return std::unexpected(decoded.error());
    EML_CHECK(add(decoded->key));
    tpm_public_ = *std::move(decoded);
    return {};
  }

  Status add_certificate(Result<Certificate> decoded) {
    if (!decoded) return malformed("the key's certificate is not one");
    EML_CHECK(add(decoded->public_key()));
    certificate_ = *std::move(decoded);
    return {};
  }

  Result<AttestationKey> take() {
    if (!key_) return fail(kTpmMissingCollateral, "there is no key");
    return AttestationKey{.key = *std::move(key_),
                          .one_key = one_key_,
                          .tpm_public = std::move(tpm_public_),
                          .certificate = std::move(certificate_)};
  }

 private:
  std::optional<PublicKey> key_;
  bool one_key_ = true;
  std::optional<TpmPublic> tpm_public_;
  std::optional<Certificate> certificate_;
};

}  // namespace

std::optional<ByteView> collateral_of(const EvidenceInput& input, std::string_view name) {
  if (input.collateral == nullptr) return std::nullopt;
  const auto found = input.collateral->find(name);
  if (found == input.collateral->end()) return std::nullopt;
  return ByteView(found->second);
}

Result<ByteView> required_collateral(const EvidenceInput& input, std::string_view name) {
  const auto found = collateral_of(input, name);
  if (!found) return fail(kTpmMissingCollateral, "something that a quote needs is not there");
  return *found;
}

Result<AttestationKey> decode_attestation_key(const EvidenceInput& input) {
  KeyForms forms;
  if (const auto pem = collateral_of(input, "ak_public_pem")) EML_CHECK(forms.add_pem(*pem));
  if (const auto bytes = collateral_of(input, "ak_tpmt_public")) {
    EML_CHECK(forms.add_tpm_public(decode_tpmt_public(*bytes)));
  }
  if (const auto bytes = collateral_of(input, "ak_tpm2b_public")) {
    EML_CHECK(forms.add_tpm_public(decode_tpm2b_public(*bytes)));
  }
  if (const auto der = collateral_of(input, "ak_cert")) EML_CHECK(forms.add_certificate(Certificate::decode_der(*der)));
  return forms.take();
}

}  // namespace eml
