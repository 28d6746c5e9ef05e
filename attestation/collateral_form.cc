#include "attestation/collateral_form.h"

#include <algorithm>
#include <array>
#include <vector>

#include "attestation/nvidia/xml_signature.h"
#include "attestation/tdx/collateral.h"
#include "crypto/jose/jws.h"

namespace eml {
namespace {

using End = Result<std::optional<CollateralEnd>>;

struct NamedForm {
  std::string_view name;
  CollateralForm form;
};

constexpr std::array<NamedForm, 20> kForms{{
    {"tcb_info", CollateralForm::kTcbInfo},
    {"qe_identity", CollateralForm::kQeIdentity},
    {"vek", CollateralForm::kCertificate},
    {"tcb_signing_chain", CollateralForm::kCertificates},
    {"pck_crl_issuer_chain", CollateralForm::kCertificates},
    {"ca_chain", CollateralForm::kCertificates},
    {"chain", CollateralForm::kCertificates},
    {"vcek", CollateralForm::kCertificates},
    {"snp_ca_chain", CollateralForm::kCertificates},
    {"ak_cert", CollateralForm::kCertificates},
    {"ak_chain", CollateralForm::kCertificates},
    {"ek_cert", CollateralForm::kCertificates},
    {"ek_ca", CollateralForm::kCertificates},
    {"rim_root", CollateralForm::kCertificates},
    {"crl", CollateralForm::kRevocationList},
    {"pck_crl", CollateralForm::kRevocationList},
    {"root_crl", CollateralForm::kRevocationList},
    {"jwks", CollateralForm::kKeySet},
    {"driver_rim", CollateralForm::kManifest},
    {"vbios_rim", CollateralForm::kManifest},
}};

std::unexpected<Error> malformed(Literal what) { return fail(kCollateralItem, what); }

template <typename Document>
End end_of_document(const Result<Document>& document) {
  if (!document) return malformed("not the document that Intel signs");
  return CollateralEnd{.what = "nextUpdate", .last = document->validity.next_update};
}

End end_of_certificate(ByteView der) {
  const auto certificate = Certificate::decode_der(der);
  if (!certificate) return malformed("not a certificate in DER");
  return earliest_end(std::span(&*certificate, 1));
}

End end_of_certificates(ByteView bytes) {
  if (const auto pem = decode_pem_certificates(bytes)) return earliest_end(*pem);
  if (const auto der = Certificate::decode_der(bytes)) return earliest_end(std::span(&*der, 1));
  return malformed("not certificates in PEM, nor one in DER");
}

End end_of_crl(ByteView der) {
  const auto crl = RevocationList::decode_der(der);
  if (!crl) return malformed("not a revocation list in DER");
  if (!crl->next_update()) return std::nullopt;
  return CollateralEnd{.what = "nextUpdate", .last = *crl->next_update()};
}

End end_of_keys(ByteView json) {
  if (!Jwks::decode(json)) return malformed("not a key set");
  return std::nullopt;
}

End end_of_manifest(ByteView xml) {
  const auto read = read_signed_xml(xml);
  if (!read) return malformed("not a signed manifest");
  std::vector<Certificate> certificates;
  for (const Bytes& der : read->certificates) {
    auto certificate = Certificate::decode_der(der);
    if (!certificate) return malformed("a manifest whose signer is no certificate");
    certificates.push_back(*std::move(certificate));
  }
  return earliest_end(certificates);
}

}  // namespace

CollateralForm collateral_form(std::string_view name) {
  for (const NamedForm& each : kForms) {
    if (each.name == name) return each.form;
  }
  return CollateralForm::kOther;
}

End decode_collateral_item(CollateralForm form, ByteView bytes) {
  switch (form) {
    case CollateralForm::kTcbInfo:
      return end_of_document(tdx::decode_tcb_info(bytes));
    case CollateralForm::kQeIdentity:
      return end_of_document(tdx::decode_qe_identity(bytes));
    case CollateralForm::kCertificate:
      return end_of_certificate(bytes);
    case CollateralForm::kCertificates:
      return end_of_certificates(bytes);
    case CollateralForm::kRevocationList:
      return end_of_crl(bytes);
    case CollateralForm::kKeySet:
      return end_of_keys(bytes);
    case CollateralForm::kManifest:
      return end_of_manifest(bytes);
    case CollateralForm::kOther:
      break;
  }
  return std::nullopt;
}

std::optional<CollateralEnd> earliest_end(std::span<const Certificate> certificates) {
  const auto first = std::ranges::min_element(certificates, {}, &Certificate::not_after);
  if (first == certificates.end()) return std::nullopt;
  return CollateralEnd{.what = "notAfter", .last = first->not_after()};
}

}  // namespace eml
