#include "attestation/tpm/structures.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "crypto/tpm_hash.h"
#include "encoding/reader.h"

namespace eml {
namespace {

constexpr std::uint32_t kGenerated = 0xff544347;   // TPM_GENERATED_VALUE
constexpr std::uint16_t kAttestQuote = 0x8018;     // TPM_ST_ATTEST_QUOTE
constexpr std::uint32_t kDefaultExponent = 65537;  // a TPM writes it as 0

// A TPM has one bank a hash; there are seven hashes in TCG's registry, and 32 registers at most.
constexpr std::uint32_t kBanksMax = 16;
constexpr std::uint8_t kSelectBytesMax = 4;

template <typename T>
Result<T> parsed(Result<T> result, const ErrorCode& code, const Reader& in) {
  if (result) return result;
  return fail(code, "a TPM structure ends too early", in.offset());
}

Result<Bytes> read_2b(Reader& in, const ErrorCode& code) {
  EML_TRY(const std::uint16_t size, parsed(in.u16(), code, in));
  EML_TRY(const ByteView bytes, parsed(in.bytes(size), code, in));
  return to_bytes(bytes);
}

Result<PcrSelection> read_selection(Reader& in) {
  PcrSelection out;
  EML_TRY(out.hash, parsed(in.u16(), kTpmParse, in));
  EML_TRY(const std::uint8_t size, parsed(in.u8(), kTpmParse, in));
  if (size > kSelectBytesMax) return fail(kTpmParse, "a PCR selection is larger than any TPM's", in.offset());
  EML_TRY(const ByteView bitmap, parsed(in.bytes(size), kTpmParse, in));
  for (unsigned pcr = 0; pcr < 8U * size; ++pcr) {
    if ((bitmap[pcr / 8] >> (pcr % 8) & 1U) != 0) out.pcrs.push_back(pcr);
  }
  return out;
}

Status read_clock(Reader& in, TpmQuote& out) {
  EML_TRY(out.clock, parsed(in.u64(), kTpmParse, in));
  EML_TRY(out.reset_count, parsed(in.u32(), kTpmParse, in));
  EML_TRY(out.restart_count, parsed(in.u32(), kTpmParse, in));
  EML_TRY(out.safe, parsed(in.u8(), kTpmParse, in));
  if (out.safe > 1) return fail(kTpmParse, "a TPMI_YES_NO is 0 or 1", in.offset());
  EML_TRY(out.firmware_version, parsed(in.u64(), kTpmParse, in));
  return {};
}

Status read_quote_info(Reader& in, ByteView attest, TpmQuote& out) {
  const std::size_t start = in.offset();
  EML_TRY(const std::uint32_t count, parsed(in.u32(), kTpmParse, in));
  if (count > kBanksMax) return fail(kTpmParse, "a quote selects more banks than there are", count);
  for (std::uint32_t i = 0; i < count; ++i) {
    EML_TRY(PcrSelection selection, read_selection(in));
    out.pcr_select.push_back(std::move(selection));
  }
  out.pcr_select_bytes = to_bytes(attest.subspan(start, in.offset() - start));
  EML_TRY(out.pcr_digest, read_2b(in, kTpmParse));
  return {};
}

std::unexpected<Error> unsupported(std::uint64_t algorithm, std::uint64_t hash) {
  return fail(kTpmSignatureAlgorithm, "a signature of a scheme that is not accepted", algorithm, hash);
}

Result<SignatureScheme> rsa_scheme(std::uint16_t algorithm, std::uint16_t hash) {
  const bool pss = algorithm == kTpmRsapss;
  switch (hash) {
    case kTpmSha256:
      return pss ? SignatureScheme::kRsaPssSha256 : SignatureScheme::kRsaPkcs1Sha256;
    case kTpmSha384:
      return pss ? SignatureScheme::kRsaPssSha384 : SignatureScheme::kRsaPkcs1Sha384;
    case kTpmSha512:
      return pss ? SignatureScheme::kRsaPssSha512 : SignatureScheme::kRsaPkcs1Sha512;
    default:
      return unsupported(algorithm, hash);
  }
}

Result<SignatureScheme> ecdsa_scheme(KeyKind kind, std::uint16_t hash) {
  if (kind == KeyKind::kP256 && hash == kTpmSha256) return SignatureScheme::kEcdsaP256Sha256;
  if (kind == KeyKind::kP384 && hash == kTpmSha384) return SignatureScheme::kEcdsaP384Sha384;
  return unsupported(kTpmEcdsa, hash);
}

// padded writes a TPM's number, which may lack its leading zeros, at the curve's full size.
Result<Bytes> padded(ByteView number, std::size_t size) {
  if (number.size() > size) return fail(kTpmParse, "a number is larger than its curve", number.size());
  return concat(Bytes(size - number.size()), number);
}

Result<Bytes> read_ecdsa(Reader& in, const PublicKey& key) {
  const std::size_t size = key.bits() / 8;
  EML_TRY(const Bytes r, read_2b(in, kTpmParse));
  EML_TRY(const Bytes s, read_2b(in, kTpmParse));
  EML_TRY(const Bytes r_padded, padded(r, size));
  EML_TRY(const Bytes s_padded, padded(s, size));
  return concat(r_padded, s_padded);
}

// read_scheme skips TPMT_SYM_DEF_OBJECT, which a signing key has as TPM_ALG_NULL, and the scheme with its hash.
Status skip_symmetric_and_scheme(Reader& in) {
  EML_TRY(const std::uint16_t symmetric, parsed(in.u16(), kTpmAkParse, in));
  if (symmetric != kTpmNull) return fail(kTpmAkParse, "a signing key has a symmetric algorithm", in.offset());
  EML_TRY(const std::uint16_t scheme, parsed(in.u16(), kTpmAkParse, in));
  if (scheme != kTpmNull) EML_CHECK(parsed(in.u16(), kTpmAkParse, in));
  return {};
}

Result<PublicKey> read_rsa_key(Reader& in) {
  EML_CHECK(skip_symmetric_and_scheme(in));
  EML_TRY(const std::uint16_t bits, parsed(in.u16(), kTpmAkParse, in));
  EML_TRY(std::uint32_t exponent, parsed(in.u32(), kTpmAkParse, in));
  EML_TRY(const Bytes modulus, read_2b(in, kTpmAkParse));
  if (exponent == 0) exponent = kDefaultExponent;
  Writer exponent_bytes;
  exponent_bytes.u32(exponent);
  auto key = PublicKey::from_rsa(modulus, exponent_bytes.view());
  if (!key || key->bits() != bits) return fail(kTpmAkParse, "an RSA key is not one, or not of its size", bits);
  return *std::move(key);
}

Result<PublicKey> read_ecc_key(Reader& in) {
  EML_CHECK(skip_symmetric_and_scheme(in));
  EML_TRY(const std::uint16_t curve, parsed(in.u16(), kTpmAkParse, in));
  EML_TRY(const std::uint16_t kdf, parsed(in.u16(), kTpmAkParse, in));
  if (kdf != kTpmNull) return fail(kTpmAkParse, "a signing key has a key derivation", in.offset());
  if (curve != kTpmCurveP256 && curve != kTpmCurveP384) return fail(kTpmAkParse, "a curve that is not ours", curve);
  const std::size_t size = curve == kTpmCurveP256 ? 32 : 48;
  EML_TRY(const Bytes x, read_2b(in, kTpmAkParse));
  EML_TRY(const Bytes y, read_2b(in, kTpmAkParse));
  const auto x_padded = padded(x, size);
  const auto y_padded = padded(y, size);
  if (!x_padded || !y_padded) return fail(kTpmAkParse, "a point is larger than its curve", in.offset());
  auto key =
      PublicKey::from_point(curve == kTpmCurveP256 ? KeyKind::kP256 : KeyKind::kP384, concat(*x_padded, *y_padded));
  if (!key) return fail(kTpmAkParse, "a point is not on its curve", in.offset());
  return *std::move(key);
}

}  // namespace

Result<TpmQuote> decode_tpm_quote(ByteView attest) {
  TpmQuote out;
  Reader in(attest);
  EML_TRY(const std::uint32_t magic, parsed(in.u32(), kTpmParse, in));
  if (magic != kGenerated) return fail(kTpmMagic, "the signed structure was not made by a TPM");
  EML_TRY(const std::uint16_t type, parsed(in.u16(), kTpmParse, in));
  if (type != kAttestQuote) return fail(kTpmAttestType, "the signed structure is not a quote", type);
  EML_TRY(out.qualified_signer, read_2b(in, kTpmParse));
  EML_TRY(out.extra_data, read_2b(in, kTpmParse));
  EML_CHECK(read_clock(in, out));
  EML_CHECK(read_quote_info(in, attest, out));
  out.trailing_bytes = in.remaining();
  return out;
}

Json tpm_quote_fields(const TpmQuote& quote) {
  JsonArray select;
  for (const PcrSelection& each : quote.pcr_select) {
    select.push_back(JsonArray{fmt::format("0x{:x}", each.hash), JsonArray(each.pcrs.begin(), each.pcrs.end())});
  }
  return JsonObject{{"extra_data", hex(quote.extra_data)},
                    {"qualified_signer", hex(quote.qualified_signer)},
                    {"clock", quote.clock},
                    {"reset_count", quote.reset_count},
                    {"restart_count", quote.restart_count},
                    {"safe", quote.safe},
                    {"firmware_version", fmt::format("{:016x}", quote.firmware_version)},
                    {"pcr_select", std::move(select)},
                    {"pcr_digest", hex(quote.pcr_digest)}};
}

Result<TpmSignature> decode_tpm_signature(ByteView signature, const PublicKey& key) {
  const bool rsa = key.kind() == KeyKind::kRsa;
  if (rsa && signature.size() == key.modulus().size()) {
    return TpmSignature{
        .scheme = SignatureScheme::kRsaPkcs1Sha256, .hash = kTpmSha256, .bytes = to_bytes(signature), .raw = true};
  }
  TpmSignature out;
  Reader in(signature);
  EML_TRY(const std::uint16_t algorithm, parsed(in.u16(), kTpmParse, in));
  EML_TRY(out.hash, parsed(in.u16(), kTpmParse, in));
  if (rsa && (algorithm == kTpmRsassa || algorithm == kTpmRsapss)) {
    EML_TRY(out.scheme, rsa_scheme(algorithm, out.hash));
    EML_TRY(out.bytes, read_2b(in, kTpmParse));
  } else if (!rsa && algorithm == kTpmEcdsa) {
    EML_TRY(out.scheme, ecdsa_scheme(key.kind(), out.hash));
    EML_TRY(out.bytes, read_ecdsa(in, key));
  } else if (algorithm == kTpmRsassa || algorithm == kTpmRsapss || algorithm == kTpmEcdsa) {
    return fail(kTpmSignatureInvalid, "a signature of another kind of key", algorithm, out.hash);
  } else {
    return fail(kTpmParse, "neither a TPMT_SIGNATURE nor as long as the key's modulus", algorithm);
  }
  if (!in.expect_end()) return fail(kTpmParse, "bytes behind a signature", in.offset());
  return out;
}

Result<TpmPublic> decode_tpmt_public(ByteView bytes) {
  Reader in(bytes);
  EML_TRY(const std::uint16_t type, parsed(in.u16(), kTpmAkParse, in));
  EML_TRY(const std::uint16_t name_algorithm, parsed(in.u16(), kTpmAkParse, in));
  EML_TRY(const std::uint32_t attributes, parsed(in.u32(), kTpmAkParse, in));
  EML_CHECK(read_2b(in, kTpmAkParse));  // authPolicy
  if (type != kTpmRsa && type != kTpmEcc) return fail(kTpmAkParse, "a TPM public that is no RSA or EC key", type);
  auto key = type == kTpmRsa ? read_rsa_key(in) : read_ecc_key(in);
  if (!key) return std::unexpected(key.error());
  if (!in.expect_end()) return fail(kTpmAkParse, "bytes behind a TPM public", in.offset());
  // SHA-1 names still occur on old TPMs, but a name is no proof if it can be forged.
  if (tpm_hash_size(name_algorithm) == 0 || name_algorithm == kTpmSha1) {
    return fail(kTpmAkParse, "a TPM public with a name algorithm that is not accepted", name_algorithm);
  }
  Writer name;
  name.u16(name_algorithm).bytes(tpm_hash(name_algorithm, {bytes}));
  return TpmPublic{
      .name_algorithm = name_algorithm, .attributes = attributes, .key = *std::move(key), .name = name.take()};
}

Result<TpmPublic> decode_tpm2b_public(ByteView bytes) {
  Reader in(bytes);
  EML_TRY(const std::uint16_t size, parsed(in.u16(), kTpmAkParse, in));
  if (size != in.remaining()) return fail(kTpmAkParse, "a TPM2B has another size than it says", size);
  return decode_tpmt_public(in.rest());
}

bool is_attestation_key(const TpmPublic& key) {
  constexpr std::uint32_t kFixedTpm = 0x2;
  constexpr std::uint32_t kFixedParent = 0x10;
  constexpr std::uint32_t kSensitiveDataOrigin = 0x20;
  constexpr std::uint32_t kRestricted = 0x10000;
  constexpr std::uint32_t kDecrypt = 0x20000;
  constexpr std::uint32_t kSign = 0x40000;
  constexpr std::uint32_t kSet = kFixedTpm | kFixedParent | kSensitiveDataOrigin | kRestricted | kSign;
  return (key.attributes & (kSet | kDecrypt)) == kSet;
}

}  // namespace eml
