// SignedXml is an XML document with one enveloped signature of the one form that NVIDIA's manifests have (XML
// Signature, 2nd edition): same-document reference to the whole document, transforms enveloped-signature and Canonical
// XML 1.1, SHA-384, ECDSA with SHA-384 (r || s), certificates in KeyInfo. Any other algorithm, transform, reference,
// attribute or element is refused, so there is nothing to wrap: what is signed is all of the document but its
// signature. Source: docs/spec/evidence/nvidia.md, section 5.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace eml {

inline constexpr ErrorCode kXmlSignatureForm{ErrorClass::kUnauthentic, "xml-signature-form"};

struct SignedXml {
  Hash48 content_digest{};          // SHA-384 of the canonical document without its signature, computed here
  Bytes stated_digest;              // DigestValue
  Bytes signed_info;                // canonical
  Bytes signature;                  // r || s
  std::vector<Bytes> certificates;  // DER, as KeyInfo has them: the signer first
};

// read_signed_xml: the errors of XmlReader; kXmlSignatureForm (no signature, not a child of the document element, a
// second one, another form). It verifies nothing.
Result<SignedXml> read_signed_xml(ByteView xml);

}  // namespace eml
