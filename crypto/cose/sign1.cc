// RFC 9052, 4.2 and 4.4; typ is RFC 9596, application/cwt RFC 8392.
#include "crypto/cose/sign1.h"

#include <utility>

#include "encoding/cbor.h"

namespace eml {
namespace {

constexpr std::uint64_t kTagSign1 = 18;
constexpr std::int64_t kLabelAlgorithm = 1;
constexpr std::int64_t kLabelContentType = 3;
constexpr std::int64_t kLabelType = 16;

// A callee's error says where; that the CBOR is at fault is all that a verdict needs.
std::unexpected<Error> malformed(const Error& error) {
  if (error.has_first()) return fail(kCoseMalformed, "a COSE_Sign1 structure is not well formed", error.first());
  return fail(kCoseMalformed, "a COSE_Sign1 structure is not well formed");
}

// The four members, in their order, before anything in them is judged.
struct Parts {
  ByteView protected_header;
  bool unprotected_is_empty;
  ByteView payload;
  ByteView signature;
};

Result<Parts> read_parts(CborReader& in) {
  EML_TRY(const std::uint64_t tag, in.tag());
  if (tag != kTagSign1) return fail(kCoseMalformed, "a COSE structure has another tag than 18", tag);
  EML_TRY(const std::size_t items, in.array());
  if (items != 4) return fail(kCoseMalformed, "a COSE_Sign1 structure has not four members", 4, items);
  Parts parts{};
  EML_TRY(parts.protected_header, in.bytes());
  EML_TRY(const CborType type, in.peek());
  if (type != CborType::kMap) return fail(kCoseMalformed, "an unprotected header is not a map", in.offset());
  EML_TRY(const ByteView unprotected, in.item());
  parts.unprotected_is_empty = unprotected.size() == 1;
  EML_TRY(parts.payload, in.bytes());
  EML_TRY(parts.signature, in.bytes());
  EML_CHECK(in.expect_end());
  return parts;
}

Result<std::int64_t> integer_or(CborReader value, const ErrorCode& code) {
  EML_TRY(const CborType type, value.peek());
  if (type == CborType::kText) return fail(code, "a COSE header names by text what we know by number");
  return value.integer();
}

Result<CoseHeader> read_header(ByteView bytes) {
  EML_TRY(CborMap map, CborMap::decode(bytes));
  CoseHeader header{.content_type = std::nullopt};
  EML_TRY(CborReader algorithm, map.required(kLabelAlgorithm));
  EML_TRY(header.algorithm, integer_or(algorithm, kCoseWrongAlgorithm));
  if (auto content_type = map.optional(kLabelContentType)) {
    EML_TRY(header.content_type, integer_or(*content_type, kCoseWrongContentType));
    if (*header.content_type < 0) return fail(kCoseMalformed, "a COSE content type is negative");
  }
  if (auto type = map.optional(kLabelType)) {
    EML_TRY(const CborType kind, type->peek());
    if (kind == CborType::kUnsigned) return fail(kCoseWrongType, "a COSE typ is a number");
    EML_TRY(header.type, type->text());
  }
  EML_CHECK(map.done());
  return header;
}

bool is_ours(const ErrorCode& code) {
  return code == kCoseWrongAlgorithm || code == kCoseWrongContentType || code == kCoseWrongType;
}

Bytes encode_header(const CoseHeader& header) {
  CborWriter out;
  out.map(std::size_t{1} + (header.content_type ? 1 : 0) + (header.type ? 1 : 0));
  out.integer(kLabelAlgorithm).integer(header.algorithm);
  if (header.content_type) out.integer(kLabelContentType).integer(*header.content_type);
  if (header.type) out.integer(kLabelType).text(*header.type);
  return out.take();
}

// Sig_structure, RFC 9052, 4.4.
Bytes to_be_signed(ByteView protected_header, ByteView external_aad, ByteView payload) {
  CborWriter out;
  out.array(4).text("Signature1").bytes(protected_header).bytes(external_aad).bytes(payload);
  return out.take();
}

}  // namespace

Result<UnverifiedSign1> UnverifiedSign1::decode(ByteView bytes) {
  if (bytes.size() > kCoseSign1Max) {
    return fail(kCoseTooLarge, "a COSE_Sign1 structure is too large", kCoseSign1Max, bytes.size());
  }
  CborReader in(bytes);
  const Result<Parts> parts = read_parts(in);
  if (!parts) return malformed(parts.error());
  if (!parts->unprotected_is_empty) {
    return fail(kCoseUnprotectedNotEmpty, "a COSE_Sign1 structure has unprotected headers");
  }
  Result<CoseHeader> header = read_header(parts->protected_header);
  if (!header && is_ours(header.error().code())) return std::unexpected(header.error());
  if (!header) return malformed(header.error());
  const auto signature = to_array<64>(parts->signature);
  if (!signature) {
    // The signature of another algorithm is not a malformed one of ours.
    if (header->algorithm != kCoseAlgEdDsa) return fail(kCoseWrongAlgorithm, "a COSE algorithm is not EdDSA");
    return fail(kCoseMalformed, "an Ed25519 signature is not 64 bytes long", 64, parts->signature.size());
  }
  UnverifiedSign1 out;
  out.bytes_ = to_bytes(bytes);
  out.protected_ = to_bytes(parts->protected_header);
  out.header_ = *std::move(header);
  out.payload_ = to_bytes(parts->payload);
  out.signature_ = *signature;
  return out;
}

Status UnverifiedSign1::expect_header(const CoseHeader& expected) const {
  if (header_.algorithm != expected.algorithm)
    return fail(kCoseWrongAlgorithm, "a COSE algorithm is not the expected one");
  if (header_.content_type != expected.content_type) {
    return fail(kCoseWrongContentType, "a COSE content type is not the expected one");
  }
  if (header_.type != expected.type) return fail(kCoseWrongType, "a COSE typ is not the expected one");
  return {};
}

Result<Bytes> UnverifiedSign1::verify(const Ed25519PublicKey& key, ByteView external_aad) const {
  if (header_.algorithm != kCoseAlgEdDsa) return fail(kCoseWrongAlgorithm, "a COSE algorithm is not EdDSA");
  EML_CHECK(verify_ed25519(key, to_be_signed(protected_, external_aad, payload_), signature_));
  return payload_;
}

Bytes encode_sign1(const CoseHeader& header, ByteView payload, const Ed25519Signature& signature) {
  CborWriter out;
  out.tag(kTagSign1).array(4).bytes(encode_header(header)).map(0).bytes(payload).bytes(signature);
  return out.take();
}

Bytes sign1(const Ed25519Key& key, const CoseHeader& header, ByteView payload, ByteView external_aad) {
  return encode_sign1(header, payload, key.sign(to_be_signed(encode_header(header), external_aad, payload)));
}

}  // namespace eml
