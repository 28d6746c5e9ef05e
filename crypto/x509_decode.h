// What certificates and revocation lists have in common (RFC 5280). Internal to crypto/.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/public_key.h"
#include "encoding/der.h"

namespace eml::x509 {

// SignedData is SEQUENCE { to be signed, AlgorithmIdentifier, BIT STRING }, as views of the input.
struct SignedData {
  ByteView signed_bytes;  // the whole first element
  DerReader inside;       // its contents
  ByteView algorithm;     // the whole AlgorithmIdentifier
  ByteView signature;
};
Result<SignedData> read_signed(ByteView der);

// signature_scheme names what an AlgorithmIdentifier says; nullopt for what PublicKey does not verify.
std::optional<SignatureScheme> signature_scheme(ByteView algorithm);

// verify_signed: kChainSignature.
Status verify_signed(const PublicKey& key, const std::optional<SignatureScheme>& scheme, ByteView signed_bytes,
                     ByteView signature);

struct Name {
  ByteView whole;
  std::string common_name;  // the last
};
Result<Name> read_name(DerReader& reader);

struct Extension {
  ByteView oid;
  bool critical = false;
  ByteView value;
};
// read_extensions reads SEQUENCE OF Extension, without doubles.
Result<std::vector<Extension>> read_extensions(DerReader reader);

const Extension* find(const std::vector<Extension>& extensions, std::string_view oid);

inline constexpr std::string_view kAuthorityKeyIdentifier = "2.5.29.35";

}  // namespace eml::x509
