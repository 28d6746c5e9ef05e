#include "crypto/x509_decode.h"

#include <algorithm>
#include <array>

#include "crypto/x509.h"
#include "encoding/utf8.h"

namespace eml::x509 {
namespace {

constexpr std::string_view kRsassaPss = "1.2.840.113549.1.1.10";
constexpr std::string_view kMgf1 = "1.2.840.113549.1.1.8";
constexpr std::string_view kCommonName = "2.5.4.3";
constexpr std::size_t kExtensionsMax = 64;  // genuine certificates have at most 21 (AMD's); doubles are sought pairwise

struct Algorithm {
  std::string_view oid;
  SignatureScheme scheme;
  bool null_allowed;  // RFC 4055, 5: RSA's parameters are NULL; others have none
};

constexpr std::array kAlgorithms = {
    Algorithm{"1.2.840.10045.4.3.2", SignatureScheme::kEcdsaP256Sha256, false},
    Algorithm{"1.2.840.10045.4.3.3", SignatureScheme::kEcdsaP384Sha384, false},
    Algorithm{"1.2.840.113549.1.1.11", SignatureScheme::kRsaPkcs1Sha256, true},
    Algorithm{"1.2.840.113549.1.1.12", SignatureScheme::kRsaPkcs1Sha384, true},
    Algorithm{"1.2.840.113549.1.1.13", SignatureScheme::kRsaPkcs1Sha512, true},
    Algorithm{"1.3.101.112", SignatureScheme::kEd25519, false},
};

struct PssHash {
  std::string_view oid;
  std::uint64_t size;
  SignatureScheme scheme;
};

constexpr std::array kPssHashes = {
    PssHash{"2.16.840.1.101.3.4.2.1", 32, SignatureScheme::kRsaPssSha256},
    PssHash{"2.16.840.1.101.3.4.2.2", 48, SignatureScheme::kRsaPssSha384},
    PssHash{"2.16.840.1.101.3.4.2.3", 64, SignatureScheme::kRsaPssSha512},
};

bool is(ByteView oid, std::string_view dotted) { return equal(oid, der_oid(dotted)); }

Status null_or_nothing(DerReader& reader) {
  if (!reader.at_end()) EML_CHECK(reader.null());
  return reader.expect_end();
}

// SEQUENCE { hash OID, NULL OPTIONAL }
Result<ByteView> read_hash(DerReader& reader) {
  EML_TRY(DerReader inside, reader.enter(der::kSequence));
  EML_TRY(const ByteView oid, inside.oid());
  EML_CHECK(null_or_nothing(inside));
  return oid;
}

// [0] hash, [1] mask generation MGF1 with the same hash, [2] salt length, [3] trailer field 1, which DER leaves out and
// AMD writes. The defaults of the first three are SHA-1's, so none may be missing. Source: RFC 4055, 3.1.
Result<std::optional<SignatureScheme>> read_pss(DerReader parameters) {
  EML_TRY(DerReader inside, parameters.enter(der::kSequence));
  EML_CHECK(parameters.expect_end());
  EML_TRY(DerReader hash_field, inside.enter(der::context(0)));
  EML_TRY(const ByteView hash, read_hash(hash_field));
  EML_CHECK(hash_field.expect_end());
  EML_TRY(DerReader mask_field, inside.enter(der::context(1)));
  EML_TRY(DerReader mask, mask_field.enter(der::kSequence));
  EML_CHECK(mask_field.expect_end());
  EML_TRY(const ByteView generator, mask.oid());
  EML_TRY(const ByteView mask_hash, read_hash(mask));
  EML_CHECK(mask.expect_end());
  EML_TRY(DerReader salt_field, inside.enter(der::context(2)));
  EML_TRY(const std::uint64_t salt_size, salt_field.integer());
  EML_CHECK(salt_field.expect_end());
  std::uint64_t trailer = 1;
  EML_TRY(auto trailer_field, inside.enter_if(der::context(3)));
  if (trailer_field) {
    EML_TRY(trailer, trailer_field->integer());
    EML_CHECK(trailer_field->expect_end());
  }
  EML_CHECK(inside.expect_end());
  if (!is(generator, kMgf1) || !equal(hash, mask_hash) || trailer != 1) return std::nullopt;
  for (const PssHash& known : kPssHashes) {
    if (is(hash, known.oid) && salt_size == known.size) return known.scheme;
  }
  return std::nullopt;
}

std::string text_of(const DerValue& value) {
  const std::string_view text = as_text(value.contents);
  const bool ascii = std::ranges::all_of(value.contents, [](std::uint8_t c) { return c < 0x80; });
  switch (value.tag) {
    case der::kUtf8String:
      return is_utf8(text) ? std::string(text) : std::string();
    case der::kPrintableString:
    case der::kT61String:
    case der::kIa5String:
      return ascii ? std::string(text) : std::string();
    default:
      return {};
  }
}

Result<Extension> read_extension(DerReader& reader) {
  EML_TRY(DerReader inside, reader.enter(der::kSequence));
  Extension out;
  EML_TRY(out.oid, inside.oid());
  // DEFAULT FALSE is not to be written, and is, in genuine certificates.
  if (inside.next_is(der::kBoolean)) {
    EML_TRY(out.critical, inside.boolean());
  }
  EML_TRY(out.value, inside.octet_string());
  EML_CHECK(inside.expect_end());
  return out;
}

}  // namespace

Result<SignedData> read_signed(ByteView der) {
  DerReader outer(der);
  EML_TRY(DerReader inner, outer.enter(der::kSequence));
  EML_CHECK(outer.expect_end());
  DerReader first = inner;
  EML_TRY(const DerReader inside, inner.enter(der::kSequence));
  EML_TRY(const DerValue signed_part, first.any());
  EML_TRY(const DerValue algorithm, inner.expect(der::kSequence));
  EML_TRY(const ByteView signature, inner.bit_string());
  EML_CHECK(inner.expect_end());
  return SignedData{signed_part.whole, inside, algorithm.whole, signature};
}

std::optional<SignatureScheme> signature_scheme(ByteView algorithm) {
  DerReader outer(algorithm);
  auto inside = outer.enter(der::kSequence);
  if (!inside) return std::nullopt;
  const auto oid = inside->oid();
  if (!oid) return std::nullopt;
  if (is(*oid, kRsassaPss)) return read_pss(*inside).value_or(std::nullopt);
  for (const Algorithm& known : kAlgorithms) {
    if (!is(*oid, known.oid)) continue;
    const bool good = known.null_allowed ? null_or_nothing(*inside).has_value() : inside->at_end();
    return good ? std::optional(known.scheme) : std::nullopt;
  }
  return std::nullopt;
}

Status verify_signed(const PublicKey& key, const std::optional<SignatureScheme>& scheme, ByteView signed_bytes,
                     ByteView signature) {
  if (!scheme) return fail(kChainSignature, "a certificate is signed with an algorithm that we do not accept");
  if (!key.verify(*scheme, signed_bytes, signature, EcdsaForm::kDer))
    return fail(kChainSignature, "a certificate's signature does not verify");
  return {};
}

Result<Name> read_name(DerReader& reader) {
  DerReader first = reader;
  EML_TRY(DerReader sets, reader.enter(der::kSequence));
  Name out;
  EML_TRY(const DerValue whole, first.any());
  out.whole = whole.whole;
  while (!sets.at_end()) {
    EML_TRY(DerReader set, sets.enter(der::kSet));
    while (!set.at_end()) {
      EML_TRY(DerReader attribute, set.enter(der::kSequence));
      EML_TRY(const ByteView type, attribute.oid());
      EML_TRY(const DerValue value, attribute.any());
      EML_CHECK(attribute.expect_end());
      if (is(type, kCommonName)) out.common_name = text_of(value);
    }
  }
  return out;
}

const Extension* find(const std::vector<Extension>& extensions, std::string_view oid) {
  const Bytes wanted = der_oid(oid);
  const auto found =
      std::ranges::find_if(extensions, [&](const Extension& extension) { return equal(extension.oid, wanted); });
  return found == extensions.end() ? nullptr : &*found;
}

Result<std::vector<Extension>> read_extensions(DerReader reader) {
  EML_TRY(DerReader list, reader.enter(der::kSequence));
  EML_CHECK(reader.expect_end());
  std::vector<Extension> out;
  while (!list.at_end()) {
    EML_TRY(const Extension extension, read_extension(list));
    if (out.size() == kExtensionsMax) return fail(kDerMalformed, "there are more extensions than we accept");
    const auto same = [&](const Extension& other) { return equal(other.oid, extension.oid); };
    if (std::ranges::any_of(out, same)) return fail(kDerMalformed, "an extension is there twice");
    out.push_back(extension);
  }
  return out;
}

}  // namespace eml::x509
