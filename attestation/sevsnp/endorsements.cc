#include "attestation/sevsnp/endorsements.h"

#include <algorithm>
#include <array>

#include "attestation/kind.h"
#include "encoding/der.h"

namespace eml {
namespace {

constexpr std::array<SnpProduct, 3> kProducts{SnpProduct::kMilan, SnpProduct::kGenoa, SnpProduct::kTurin};

// extension_byte reads an INTEGER from 0 to 255; `absent` is what a missing extension means.
Result<std::uint8_t> extension_byte(const Certificate& vek, std::string_view oid,
                                    std::optional<std::uint8_t> absent = std::nullopt) {
  const auto value = vek.extension(oid);
  if (!value) {
    if (absent) return *absent;
    return fail(kSnpVekExtensions, "the VEK lacks an extension of AMD's");
  }
  DerReader in(*value);
  const auto number = in.integer();
  if (!number || *number > 255 || !in.expect_end()) {
    return fail(kSnpVekExtensions, "an extension of the VEK is not an INTEGER of one byte");
  }
  return static_cast<std::uint8_t>(*number);
}

Result<std::string> extension_text(const Certificate& vek, std::string_view oid) {
  const auto value = vek.extension(oid);
  if (!value) return fail(kSnpVekExtensions, "the VEK lacks an extension of AMD's");
  DerReader in(*value);
  const auto text = in.expect(der::kIa5String);
  const auto printable = [](std::uint8_t byte) { return byte >= 0x20 && byte < 0x7f; };
  if (!text || !in.expect_end() || !std::ranges::all_of(text->contents, printable)) {
    return fail(kSnpVekExtensions, "an extension of the VEK is not a printable IA5String");
  }
  return std::string(as_text(text->contents));
}

// The spare components are those bytes of a TCB_VERSION that have no name yet; SnpTcb says in which order.
Result<SnpTcb> extension_tcb(const Certificate& vek, SnpProduct product) {
  SnpTcb out;
  EML_TRY(out.bootloader, extension_byte(vek, "1.3.6.1.4.1.3704.1.3.1"));
  EML_TRY(out.tee, extension_byte(vek, "1.3.6.1.4.1.3704.1.3.2"));
  EML_TRY(out.snp, extension_byte(vek, "1.3.6.1.4.1.3704.1.3.3"));
  EML_TRY(out.microcode, extension_byte(vek, "1.3.6.1.4.1.3704.1.3.8"));
  EML_TRY(const std::uint8_t spl4, extension_byte(vek, "1.3.6.1.4.1.3704.1.3.4", 0));
  EML_TRY(const std::uint8_t spl5, extension_byte(vek, "1.3.6.1.4.1.3704.1.3.5", 0));
  EML_TRY(const std::uint8_t spl6, extension_byte(vek, "1.3.6.1.4.1.3704.1.3.6", 0));
  EML_TRY(const std::uint8_t spl7, extension_byte(vek, "1.3.6.1.4.1.3704.1.3.7", 0));
  if (product != SnpProduct::kTurin) {
    out.spare = {spl4, spl5, spl6, spl7};
    return out;
  }
  EML_TRY(out.fmc, extension_byte(vek, "1.3.6.1.4.1.3704.1.3.9"));
  out.spare = {spl5, spl6, spl7, spl4};
  return out;
}

// AMD writes the hwID's bytes without the OCTET STRING that KDS's table gives it; both forms are unambiguous by size.
Result<Bytes> extension_hw_id(const Certificate& vek, SnpProduct product) {
  const auto value = vek.extension("1.3.6.1.4.1.3704.1.4");
  if (!value) return fail(kSnpVekExtensions, "the VCEK lacks its hwID");
  const std::size_t size = product == SnpProduct::kTurin ? 8 : 64;
  if (value->size() == size) return *value;
  DerReader in(*value);
  const auto wrapped = in.octet_string();
  if (!wrapped || !in.expect_end() || wrapped->size() != size) {
    return fail(kSnpVekExtensions, "the VCEK's hwID has another size", size, value->size());
  }
  return to_bytes(*wrapped);
}

bool names_product(std::string_view name, SnpProduct product) {
  const std::string_view prefix = to_string(product);
  return name.starts_with(prefix) && (name.size() == prefix.size() || name[prefix.size()] == '-');
}

struct ChainNames {
  SnpProduct product;
  SnpKeyKind kind;
};

// Step 4. The names are signed: whoever is above each certificate gave it its name.
Result<ChainNames> chain_names(const Certificate& vek, const Certificate& ask, const Certificate& ark) {
  for (const SnpProduct product : kProducts) {
    const std::string name(to_string(product));
    if (ark.subject_common_name() != "ARK-" + name) continue;
    if (ask.subject_common_name() == "SEV-" + name && vek.subject_common_name() == "SEV-VCEK") {
      return ChainNames{.product = product, .kind = SnpKeyKind::kVcek};
    }
    if (ask.subject_common_name() == "SEV-VLEK-" + name && vek.subject_common_name() == "SEV-VLEK") {
      return ChainNames{.product = product, .kind = SnpKeyKind::kVlek};
    }
  }
  return fail(kSnpVekChain, "the certificates' names are not those of one product's VCEK or VLEK chain");
}

constexpr ChainRules kLinksOnly{
    .strict = false,       // AMD's genuine chains break RFC 5280's letter (no authority key identifier)
    .judge_dates = false,  // afterwards: a date is no reason to doubt who signed
};

// Each link by itself, so that the error says which one it was; the ARK is known by its fingerprint.
Status verify_links(const Certificate& vek, const Certificate& ask, const Certificate& ark) {
  const bool may_have_two_below = !ark.path_length() || *ark.path_length() >= 1;
  if (!may_have_two_below || !verify_chain(std::array{ask}, ark, 0, kLinksOnly)) {
    return fail(kSnpVekChain, "the ASK or ASVK is not one of this ARK's, or not a CA's certificate");
  }
  if (!verify_chain(std::array{vek}, ask, 0, kLinksOnly)) {
    return fail(kSnpVekSignature, "the ASK or ASVK did not sign this VEK");
  }
  return {};
}

Status verify_dates(std::initializer_list<const Certificate*> certificates, UnixSeconds time) {
  for (const Certificate* const each : certificates) {
    if (time > each->not_after()) return fail(kSnpCertificateExpired, "a certificate has expired");
    if (time < each->not_before()) return fail(kSnpCertificateNotYetValid, "a certificate is not valid yet");
  }
  return {};
}

Status verify_keys(const Certificate& vek, const Certificate& ask, const Certificate& ark) {
  if (ask.public_key().kind() != KeyKind::kRsa || ark.public_key().kind() != KeyKind::kRsa) {
    return fail(kSnpVekChain, "an ASK, ASVK or ARK has an RSA key");
  }
  if (vek.public_key().kind() != KeyKind::kP384) return fail(kSnpVekSignature, "a VEK's key is on P-384");
  return {};
}

}  // namespace

Result<VekExtensions> decode_vek_extensions(const Certificate& vek, SnpProduct product, SnpKeyKind kind) {
  VekExtensions out;
  EML_TRY(out.struct_version, extension_byte(vek, "1.3.6.1.4.1.3704.1.1"));
  EML_TRY(out.product_name, extension_text(vek, "1.3.6.1.4.1.3704.1.2"));
  EML_TRY(out.tcb, extension_tcb(vek, product));
  if (!names_product(out.product_name, product)) {
    return fail(kSnpVekExtensions, "the VEK's product is not that of its chain");
  }
  if (kind == SnpKeyKind::kVcek) {
    EML_TRY(out.hw_id, extension_hw_id(vek, product));
    return out;
  }
  if (vek.extension("1.3.6.1.4.1.3704.1.4")) return fail(kSnpVekExtensions, "a VLEK has no hwID");
  EML_TRY(out.csp_id, extension_text(vek, "1.3.6.1.4.1.3704.1.5"));
  return out;
}

Result<SnpEndorsements> decode_snp_endorsements(ByteView vek_der, ByteView ca_chain_pem) {
  auto vek = Certificate::decode_der(vek_der);
  if (!vek) return fail(kSnpVekParse, "the VEK is not a certificate in DER");
  auto chain = decode_pem_certificates(ca_chain_pem);
  if (!chain) return fail(kSnpChainParse, "the certificate chain is not PEM certificates");
  return SnpEndorsements{.vek = *std::move(vek), .ca_chain = *std::move(chain)};
}

std::span<const Hash32> snp_pinned_roots() {
  static const std::vector<Hash32> roots = [] {
    std::vector<Hash32> out;
    for (const std::string_view text : kind_profile(EvidenceKind::kSevSnp).vendor_roots) {
      if (const auto bytes = from_hex(text)) out.push_back(to_array<32>(*bytes).value_or(Hash32{}));
    }
    return out;
  }();
  return roots;
}

Result<VerifiedVek> verify_snp_endorsements(const SnpEndorsements& endorsements, std::span<const Hash32> roots,
                                            UnixSeconds time) {
  const std::vector<Certificate>& chain = endorsements.ca_chain;
  if (chain.empty() || std::ranges::find(roots, chain.back().fingerprint()) == roots.end()) {
    return fail(kSnpUntrustedRoot, "the chain does not end in an ARK that is pinned");
  }
  if (chain.size() != 2) return fail(kSnpVekChain, "a chain is one ASK or ASVK and its ARK", 2, chain.size());
  const Certificate& ask = chain.front();
  const Certificate& ark = chain.back();
  EML_CHECK(verify_keys(endorsements.vek, ask, ark));
  EML_CHECK(verify_links(endorsements.vek, ask, ark));
  EML_CHECK(verify_dates({&endorsements.vek, &ask, &ark}, time));
  EML_TRY(const ChainNames names, chain_names(endorsements.vek, ask, ark));
  EML_TRY(VekExtensions extensions, decode_vek_extensions(endorsements.vek, names.product, names.kind));
  return VerifiedVek{.product = names.product,
                     .kind = names.kind,
                     .extensions = std::move(extensions),
                     .certificate = endorsements.vek,
                     .ask = ask,
                     .ark = ark};
}

Status verify_snp_revocation(const VerifiedVek& vek, ByteView crl_der, UnixSeconds time) {
  const auto crl = RevocationList::decode_der(crl_der);
  if (!crl) return fail(kSnpCrlParse, "the revocation list is not one in DER");
  if (crl->issuer() != vek.ark.subject() || !crl->signed_by(vek.ark.public_key())) {
    return fail(kSnpCrlSignature, "the revocation list is not this ARK's");
  }
  if (crl->this_update() > time) return fail(kSnpCrlNotYetValid, "the revocation list is of a later date");
  if (crl->next_update().value_or(0) < time) return fail(kSnpCrlExpired, "the revocation list is out of date");
  if (crl->revokes(vek.ask.serial())) return fail(kSnpAskRevoked, "AMD revoked this ASK or ASVK");
  return {};
}

}  // namespace eml
