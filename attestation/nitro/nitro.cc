#include "attestation/nitro/nitro.h"

#include <algorithm>
#include <string>

#include "crypto/hash.h"
#include "crypto/x509.h"

namespace eml {
namespace {

constexpr std::string_view kAwsRootG1 = "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b";
constexpr std::size_t kSignatureSize = 96;  // P-384, r || s

Status verify_signature(const UnverifiedNitroDocument& unverified, const Certificate& leaf) {
  const bool has_form = unverified.signature().size() == kSignatureSize && leaf.public_key().kind() == KeyKind::kP384;
  if (!has_form ||
      !leaf.public_key().verify(SignatureScheme::kEcdsaP384Sha384, unverified.signed_bytes(), unverified.signature())) {
    return fail(kNitroCoseSignature, "the key of `certificate` did not sign this document");
  }
  return {};
}

// chain_of is the chain leaf first, as verify_chain takes it.
Result<std::vector<Certificate>> chain_of(const NitroDocument& document, const Certificate& leaf) {
  std::vector<Certificate> out{leaf};
  for (std::size_t i = document.cabundle.size(); i > 0; --i) {
    auto certificate = Certificate::decode_der(document.cabundle[i - 1]);
    if (!certificate) return fail(kNitroCertChain, "an entry of cabundle is not a certificate", i - 1);
    out.push_back(*std::move(certificate));
  }
  return out;
}

std::unexpected<Error> chain_error(const Error& error) {
  if (error.code() == kChainNotTrusted) return fail(kNitroUntrustedRoot, "the chain ends in another root");
  if (error.code() == kChainExpired) {
    return fail(kNitroCertificateExpired, "a certificate had expired (0 is the leaf)", error.first());
  }
  if (error.code() == kChainNotYetValid) {
    return fail(kNitroCertificateNotYetValid, "a certificate was not yet valid (0 is the leaf)", error.first());
  }
  return fail(kNitroCertChain, "the certificates are not a chain (0 is the leaf)", error.first());
}

Status verify_certificates(const NitroDocument& document, const Certificate& leaf, UnixSeconds time) {
  EML_TRY(const auto chain, chain_of(document, leaf));
  const auto is_p384 = [](const Certificate& c) { return c.public_key().kind() == KeyKind::kP384; };
  if (!std::ranges::all_of(chain, is_p384)) return fail(kNitroCertChain, "a key in the chain is not on P-384");
  if (leaf.is_ca() || !leaf.key_usage().digital_signature) {
    return fail(kNitroCertChain, "the leaf may not sign documents", 0);
  }
  // Genuine chains lack identifiers that RFC 5280 wants (attestation.md, 0.4): not strict.
  if (const Status verified = verify_chain(chain, chain.back(), time, ChainRules{.strict = false}); !verified) {
    return chain_error(verified.error());
  }
  return {};
}

bool is_zero(ByteView bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t b) { return b == 0; });
}

std::string pcr_text(const NitroDocument& document, unsigned index) {
  const auto found = document.pcrs.find(index);
  return "pcr" + std::to_string(index) + ":" + (found == document.pcrs.end() ? "-" : hex(found->second));
}

}  // namespace

Hash32 nitro_root() { return *to_array<32>(*from_hex(kAwsRootG1)); }

Result<VerifiedNitroDocument> VerifiedNitroDocument::verify(const UnverifiedNitroDocument& unverified,
                                                            const Hash32& root, UnixSeconds time) {
  const NitroDocument& document = unverified.document();
  const auto leaf = Certificate::decode_der(document.certificate);
  if (!leaf) return fail(kNitroCoseSignature, "`certificate` holds no key that could have signed this document");
  EML_CHECK(verify_signature(unverified, *leaf));
  if (sha256(document.cabundle.front()) != root) {
    return fail(kNitroUntrustedRoot, "the first of cabundle is not the root that is trusted");
  }
  EML_CHECK(verify_certificates(document, *leaf, time));
  VerifiedNitroDocument out;
  out.document_ = document;
  out.root_ = root;
  return out;
}

bool VerifiedNitroDocument::debug() const {
  for (unsigned i = 0; i <= 2; ++i) {
    const auto found = document_.pcrs.find(i);
    if (found != document_.pcrs.end() && !is_zero(found->second)) return false;
  }
  return true;
}

VerifiedEvidence VerifiedNitroDocument::evidence() const {
  VerifiedEvidence out;
  out.kind = EvidenceKind::kNitro;
  if (document_.user_data) out.signed_value = *document_.user_data;
  for (unsigned i = 0; i <= 2; ++i) {
    const auto found = document_.pcrs.find(i);
    if (found != document_.pcrs.end()) out.measurements.emplace("pcr" + std::to_string(i), found->second);
  }
  out.platform_identity = pcr_text(document_, 3) + " " + pcr_text(document_, 4) + " " + pcr_text(document_, 8);
  out.root = hex(root_);
  out.debug = debug();
  return out;
}

Status check_nitro_binding(const VerifiedNitroDocument& verified, const Binding& binding) {
  const NitroDocument& document = verified.document();
  std::optional<Bytes> challenge;
  if (binding.challenge) challenge = to_bytes(ByteView(*binding.challenge));
  std::optional<Bytes> key;
  if (binding.purpose == Purpose::kServe) key = to_bytes(ByteView(binding.receipt_key));
  if (document.nonce != challenge) return fail(kNitroBindingMismatch, "nonce is not the binding's challenge");
  if (document.public_key != key) return fail(kNitroBindingMismatch, "public_key is not the binding's receipt key");
  return {};
}

}  // namespace eml
