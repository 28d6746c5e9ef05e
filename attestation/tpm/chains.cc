// Steps 7.1 and 7.2 of docs/spec/evidence/tpm.md: certificates of attestation and endorsement keys.
#include <algorithm>
#include <array>

#include "attestation/tpm/tpm.h"
#include "encoding/der.h"

namespace eml {
namespace {

constexpr std::array<std::string_view, 2> kRoots{
    "594759594b9b61524f6c8ef668f7177f7b9066bc0674f2f49fe9e052be78beb2",   // Google: EK/AK CA Root
    "e6c596b17f8ffefba5c300f714cfb1260c6028704ecf7becc4ab5018efb00e95"};  // Azure: Virtual TPM Root 2023

// date_or maps a chain's error: dates have codes of their own, all else is `otherwise`.
std::unexpected<Error> date_or(const Error& error, const ErrorCode& otherwise) {
  if (error.code() == kChainExpired) return fail(kTpmCertificateExpired, "a certificate has expired", error.first());
  if (error.code() == kChainNotYetValid) {
    return fail(kTpmCertificateNotYetValid, "a certificate is not valid yet", error.first());
  }
  return fail(otherwise, "a certificate is not signed by the one above it, or that is no CA");
}

// trusted_root is the certificate of `roots` that ends this chain: its last member, or a known one that signed it.
Result<Certificate> trusted_root(const Certificate& last, std::span<const Hash32> roots,
                                 std::span<const Certificate> known_roots) {
  const auto trusted = [&](const Certificate& each) {
    return std::ranges::find(roots, each.fingerprint()) != roots.end();
  };
  if (trusted(last)) return last;
  for (const Certificate& known : known_roots) {
    if (trusted(known) && known.subject() == last.issuer()) return known;
  }
  return fail(kTpmUntrustedRoot, "the key's certificates do not end in a root that is pinned");
}

// The extended key usage of an endorsement key, 2.23.133.8.1 (tcg-kp-EKCertificate).
bool has_ek_usage(const Certificate& certificate) {
  const auto value = certificate.extension("2.5.29.37");
  if (!value) return false;
  DerReader outer(*value);
  auto usages = outer.enter(der::kSequence);
  const Bytes wanted = der_oid("2.23.133.8.1");
  while (usages && !usages->at_end()) {
    const auto usage = usages->oid();
    if (!usage) return false;
    if (equal(*usage, wanted)) return true;
  }
  return false;
}

}  // namespace

std::span<const Hash32> tpm_pinned_roots() {
  static const std::vector<Hash32> roots = [] {
    std::vector<Hash32> out;
    for (const std::string_view text : kRoots) {
      if (const auto bytes = from_hex(text)) out.push_back(to_array<32>(*bytes).value_or(Hash32{}));
    }
    return out;
  }();
  return roots;
}

Result<Hash32> verify_ak_chain(std::span<const Certificate> chain, std::span<const Hash32> roots,
                               std::span<const Certificate> known_roots, UnixSeconds time) {
  if (chain.empty()) return fail(kTpmAkChain, "there is no certificate of the key");
  EML_TRY(const Certificate root, trusted_root(chain.back(), roots, known_roots));
  // Dates of a vTPM's key are those of its machine: a certificate is issued once, at its creation.
  const Status links = verify_chain(chain, root, time, {.strict = false});
  if (!links) return date_or(links.error(), kTpmAkChain);
  const Certificate& leaf = chain.front();
  const bool may_sign = !leaf.key_usage().present || leaf.key_usage().digital_signature;
  if (leaf.is_ca() || !may_sign)
    return fail(kTpmAkChain, "an attestation key's certificate is for signing, not a CA's");
  return root.fingerprint();
}

Status verify_ek_chain(const EkCertificates& certificates, UnixSeconds time) {
  if (certificates.ek.is_ca() || !has_ek_usage(certificates.ek)) {
    return fail(kTpmEkCert, "the certificate is not an endorsement key's");
  }
  if (certificates.above.empty()) return {};
  std::vector<Certificate> chain{certificates.ek};
  chain.insert(chain.end(), certificates.above.begin(), certificates.above.end());
  const Status links = verify_chain(chain, chain.back(), time, {.strict = false});
  if (!links) return date_or(links.error(), kTpmEkChain);
  return {};
}

}  // namespace eml
