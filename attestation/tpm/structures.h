// TpmQuote, TpmSignature and TpmPublic: the TPM's own structures around a quote, decoded.
// Source: TCG TPM 2.0 Library, Part 2 (sections named below); docs/spec/evidence/tpm.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/public_key.h"
#include "encoding/json.h"

namespace eml {

inline constexpr ErrorCode kTpmParse{ErrorClass::kMalformed, "tpm-parse"};  // integer: offset
inline constexpr ErrorCode kTpmMagic{ErrorClass::kUnauthentic, "tpm-magic"};
inline constexpr ErrorCode kTpmAttestType{ErrorClass::kUnauthentic, "tpm-attest-type"};
inline constexpr ErrorCode kTpmSignatureAlgorithm{ErrorClass::kUnsupported, "tpm-signature-algorithm"};
inline constexpr ErrorCode kTpmSignatureInvalid{ErrorClass::kUnauthentic, "tpm-signature"};
inline constexpr ErrorCode kTpmAkParse{ErrorClass::kMalformed, "tpm-ak-parse"};

// PcrSelection is TPMS_PCR_SELECTION (10.6.2): a bank and the registers of it, ascending.
struct PcrSelection {
  std::uint16_t hash = 0;  // TPM_ALG_ID
  std::vector<unsigned> pcrs;
};

// TpmQuote is a TPMS_ATTEST (10.12.8) of type TPM_ST_ATTEST_QUOTE.
struct TpmQuote {
  Bytes qualified_signer;
  Bytes extra_data;
  std::uint64_t clock = 0;
  std::uint32_t reset_count = 0;
  std::uint32_t restart_count = 0;
  std::uint8_t safe = 0;
  std::uint64_t firmware_version = 0;
  std::vector<PcrSelection> pcr_select;
  Bytes pcr_select_bytes;  // TPML_PCR_SELECTION as it was signed
  Bytes pcr_digest;
  std::size_t trailing_bytes = 0;  // behind the structure; whoever judges refuses them (tpm.md, step 4b)
};

// decode_tpm_quote: kTpmMagic, kTpmAttestType, kTpmParse.
Result<TpmQuote> decode_tpm_quote(ByteView attest);
// tpm_quote_fields are its fields by the names of tpm.md.
Json tpm_quote_fields(const TpmQuote& quote);

// TpmSignature is a signature and how it was made. `bytes` is as crypto/public_key.h wants it.
struct TpmSignature {
  SignatureScheme scheme = SignatureScheme::kRsaPkcs1Sha256;
  std::uint16_t hash = 0;  // TPM_ALG_ID
  Bytes bytes;
  bool raw = false;  // Azure's form
};

// decode_tpm_signature reads a TPMT_SIGNATURE (11.3.4), or, where it is exactly as long as the modulus of `key`, a raw
// RSASSA signature with SHA-256. kTpmParse; kTpmSignatureAlgorithm (SHA-1 above all); kTpmSignatureInvalid for a scheme
// of the other kind of key: this key did not sign.
Result<TpmSignature> decode_tpm_signature(ByteView signature, const PublicKey& key);

// TpmPublic is a TPMT_PUBLIC (12.2.4) of a signing key.
struct TpmPublic {
  std::uint16_t name_algorithm = 0;
  std::uint32_t attributes = 0;  // TPMA_OBJECT
  PublicKey key;
  Bytes name;  // nameAlg || H(TPMT_PUBLIC)
};

// decode_tpmt_public and decode_tpm2b_public consume all of their input. kTpmAkParse.
Result<TpmPublic> decode_tpmt_public(ByteView bytes);
Result<TpmPublic> decode_tpm2b_public(ByteView bytes);

// is_attestation_key: such a key signs nothing but what its TPM made (TPMA_OBJECT, 8.3; Part 1, 31.4).
bool is_attestation_key(const TpmPublic& key);

}  // namespace eml
