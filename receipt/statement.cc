#include "receipt/statement.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "crypto/cose/sign1.h"
#include "encoding/cbor.h"
#include "receipt/air.h"

namespace eml {
namespace {

constexpr std::int64_t kIss = 1;
constexpr std::int64_t kIat = 6;
constexpr std::int64_t kCti = 7;

// Whole buffers of one run: a sum of powers of two from 4 KiB is a multiple of 4 KiB; no run wipes a tebibyte.
constexpr std::uint64_t kWipedMax = std::uint64_t{1} << 40;

CoseHeader header_of(std::string_view type) { return CoseHeader{.type = std::string(type)}; }

std::unexpected<Error> malformed(Literal what) { return fail(kStatementMalformed, what); }

bool is_reason(std::string_view text) {
  return !text.empty() && text.size() <= kRefusalReasonMax &&
         std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

// The three claims that both statements begin with.
template <typename Statement>
void write_common(CborWriter& out, const Statement& statement) {
  out.integer(kIss).text(statement.issuer);
  out.integer(kIat).integer(statement.issued_at);
  out.integer(kCti).bytes(statement.cti);
}

template <typename Statement>
Status read_common(CborMap& map, Statement& out) {
  EML_TRY(CborReader issuer, map.required(kIss));
  EML_TRY(out.issuer, issuer.text());
  if (out.issuer.empty() || out.issuer.size() > kAirTextBytesMax) return malformed("the issuer is empty or too long");
  EML_TRY(CborReader iat, map.required(kIat));
  EML_TRY(const std::uint64_t seconds, iat.uint());
  if (seconds == 0 || seconds > static_cast<std::uint64_t>(kUnixSecondsMax)) return malformed("iat is out of range");
  out.issued_at = static_cast<UnixSeconds>(seconds);
  EML_TRY(CborReader cti, map.required(kCti));
  EML_TRY(out.cti, cti.byte_array<16>());
  return {};
}

template <std::size_t n>
Result<ByteArray<n>> read_array(CborMap& map, std::string_view key) {
  EML_TRY(CborReader value, map.required(key));
  return value.byte_array<n>();
}

Result<std::uint64_t> read_count(CborMap& map, std::string_view key) {
  EML_TRY(CborReader value, map.required(key));
  EML_TRY(const std::uint64_t count, value.uint());
  if (count % kWipedBufferMin != 0 || count > kWipedMax) return malformed("a count is not one of whole buffers");
  return count;
}

// Text keys in deterministic order: shorter first, then bytewise.
Bytes encode(const RefusalStatement& statement) {
  CborWriter out;
  out.map(8);
  write_common(out, statement);
  out.text("reason").text(statement.reason);
  out.text("status").uint(statement.status);
  out.text("request_hash").bytes(statement.request_hash);
  out.text("response_hash").bytes(statement.response_hash);
  out.text("attestation_doc_hash").bytes(statement.attestation_doc_hash);
  return out.take();
}

Result<RefusalStatement> decode_refusal(ByteView payload) {
  EML_TRY(CborMap map, CborMap::decode(payload));
  RefusalStatement out;
  EML_CHECK(read_common(map, out));
  EML_TRY(CborReader reason, map.required("reason"));
  EML_TRY(out.reason, reason.text());
  if (!is_reason(out.reason)) return malformed("the reason is not one short code");
  EML_TRY(CborReader status, map.required("status"));
  EML_TRY(const std::uint64_t code, status.uint());
  if (code < 400 || code > 599) return malformed("the status is not one of a refusal");
  out.status = static_cast<std::uint16_t>(code);
  EML_TRY(out.request_hash, read_array<32>(map, "request_hash"));
  EML_TRY(out.response_hash, read_array<32>(map, "response_hash"));
  EML_TRY(out.attestation_doc_hash, read_array<32>(map, "attestation_doc_hash"));
  EML_CHECK(map.done());
  return out;
}

void write_wiped(CborWriter& out, const WipedBytes& wiped) {
  out.map(5);
  out.text("request").uint(wiped.request);
  out.text("response").uint(wiped.response);
  out.text("token_ids").uint(wiped.token_ids);
  out.text("activations").uint(wiped.activations);
  out.text("parsed_text").uint(wiped.parsed_text);
}

Result<WipedBytes> read_wiped(CborMap& claims) {
  EML_TRY(CborReader value, claims.required("wiped"));
  EML_TRY(CborMap map, CborMap::read(value));
  WipedBytes out;
  EML_TRY(out.request, read_count(map, "request"));
  EML_TRY(out.response, read_count(map, "response"));
  EML_TRY(out.token_ids, read_count(map, "token_ids"));
  EML_TRY(out.activations, read_count(map, "activations"));
  EML_TRY(out.parsed_text, read_count(map, "parsed_text"));
  EML_CHECK(map.done());
  return out;
}

Bytes encode(const CleanupStatement& statement) {
  CborWriter out;
  out.map(7);
  write_common(out, statement);
  write_wiped(out.text("wiped"), statement.wiped);
  out.text("meaning").text(kCleanupMeaning);
  out.text("receipt_cti").bytes(statement.receipt_cti);
  out.text("receipt_hash").bytes(statement.receipt_hash);
  return out.take();
}

Result<CleanupStatement> decode_cleanup(ByteView payload) {
  EML_TRY(CborMap map, CborMap::decode(payload));
  CleanupStatement out;
  EML_CHECK(read_common(map, out));
  EML_TRY(out.wiped, read_wiped(map));
  EML_TRY(CborReader meaning, map.required("meaning"));
  EML_TRY(const std::string_view text, meaning.text());
  if (text != kCleanupMeaning) return malformed("the meaning is not the one that this statement has");
  EML_TRY(out.receipt_cti, read_array<16>(map, "receipt_cti"));
  EML_TRY(out.receipt_hash, read_array<32>(map, "receipt_hash"));
  EML_CHECK(map.done());
  return out;
}

Result<Bytes> verified_payload(ByteView bytes, std::string_view type, const Ed25519PublicKey& key) {
  EML_TRY(const UnverifiedSign1 sign1, UnverifiedSign1::decode(bytes));
  EML_CHECK(sign1.expect_header(header_of(type)));
  return sign1.verify(key);
}

}  // namespace

std::uint64_t wiped_buffer_bytes(std::uint64_t bytes) {
  if (bytes == 0) return 0;
  // Beyond half the range there is no next power of two; nobody has such a buffer.
  if (bytes > std::numeric_limits<std::uint64_t>::max() / 2) return bytes;
  return std::max(kWipedBufferMin, std::bit_ceil(bytes));
}

// What is signed is read back first, so that nothing is signed that a verifier would refuse.
Result<Bytes> issue_refusal(const Ed25519Key& key, const RefusalStatement& statement) {
  const Bytes payload = encode(statement);
  EML_CHECK(decode_refusal(payload));
  return sign1(key, header_of(kRefusalType), payload);
}

Result<Bytes> issue_cleanup(const Ed25519Key& key, const CleanupStatement& statement) {
  const Bytes payload = encode(statement);
  EML_CHECK(decode_cleanup(payload));
  return sign1(key, header_of(kCleanupType), payload);
}

Result<RefusalStatement> verify_refusal(ByteView bytes, const Ed25519PublicKey& key) {
  EML_TRY(const Bytes payload, verified_payload(bytes, kRefusalType, key));
  return decode_refusal(payload);
}

Result<CleanupStatement> verify_cleanup(ByteView bytes, const Ed25519PublicKey& key) {
  EML_TRY(const Bytes payload, verified_payload(bytes, kCleanupType, key));
  return decode_cleanup(payload);
}

}  // namespace eml
