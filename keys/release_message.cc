#include "keys/release_message.h"

#include <utility>

#include "encoding/cbor.h"

namespace eml {

namespace {

constexpr std::size_t kTextMax = 256;

Result<std::string> short_text(CborReader value) {
  EML_TRY(const std::string_view text, value.text());
  if (text.empty() || text.size() > kTextMax)
    return fail(kReleaseAnswerMalformed, "a text is empty or too long", text.size());
  return std::string(text);
}

// An optional member of n bytes.
template <std::size_t n>
Status read_bytes(CborMap& map, std::string_view key, std::optional<ByteArray<n>>& out) {
  std::optional<CborReader> value = map.optional(key);
  if (!value) return {};
  EML_TRY(out, value->byte_array<n>());
  return {};
}

Status read_claims(CborMap& map, ReleaseStatement& out) {
  EML_TRY(const CborReader issuer, map.required(1));
  EML_TRY(out.issuer, short_text(issuer));
  EML_TRY(CborReader time, map.required(6));
  EML_TRY(const std::uint64_t seconds, time.uint());
  if (std::cmp_greater(seconds, kUnixSecondsMax)) return fail(kReleaseAnswerMalformed, "a time out of range");
  out.time = static_cast<UnixSeconds>(seconds);
  EML_TRY(CborReader nonce, map.required(7));
  EML_TRY(out.nonce, nonce.byte_array<32>());
  EML_TRY(const CborReader rule, map.required("rule"));
  EML_TRY(out.rule, short_text(rule));
  EML_TRY(CborReader log_seq, map.required("log_seq"));
  EML_TRY(out.log_seq, log_seq.uint());
  EML_TRY(CborReader log_hash, map.required("log_hash"));
  EML_TRY(out.log_hash, log_hash.byte_array<32>());
  EML_TRY(CborReader policy_hash, map.required("policy_hash"));
  EML_TRY(out.policy_hash, policy_hash.byte_array<32>());
  return {};
}

Status read_subject(CborMap& map, ReleaseStatement& out) {
  if (const auto key_id = map.optional("key_id")) {
    EML_TRY(out.key_id, short_text(*key_id));
  }
  EML_CHECK(read_bytes(map, "sealed", out.sealed));
  EML_CHECK(read_bytes(map, "model_hash", out.model_hash));
  EML_CHECK(read_bytes(map, "package_id", out.package_id));
  return read_bytes(map, "evidence_hash", out.evidence_hash);
}

Status read_decision(CborMap& map, ReleaseStatement& out) {
  EML_TRY(CborReader decision, map.required("decision"));
  EML_TRY(const std::string_view text, decision.text());
  if (text != "released" && text != "refused") return fail(kReleaseAnswerMalformed, "neither released nor refused");
  out.released = text == "released";
  const bool whole = out.key_id && out.package_id && out.model_hash && out.evidence_hash;
  if (out.released != out.sealed.has_value() || (out.released && !whole)) {
    return fail(kReleaseAnswerMalformed, "a decision does not fit its members");
  }
  return {};
}

template <std::size_t n>
void write_bytes(CborWriter& out, std::string_view key, const std::optional<ByteArray<n>>& value) {
  if (value) out.text(key).bytes(*value);
}

}  // namespace

Bytes encode_release_request(const ReleaseRequest& request) {
  return CborWriter()
      .map(3)
      .uint(1)
      .bytes(request.nonce)
      .uint(2)
      .bytes(request.bundle)
      .uint(3)
      .bytes(request.wrapped_dek)
      .take();
}

Result<ReleaseRequest> decode_release_request(ByteView bytes) {
  if (bytes.size() > kReleaseRequestMax)
    return fail(kReleaseRequestMalformed, "too large", kReleaseRequestMax, bytes.size());
  EML_TRY(CborMap map, CborMap::decode(bytes));
  ReleaseRequest request;
  EML_TRY(CborReader nonce, map.required(1));
  EML_TRY(request.nonce, nonce.byte_array<32>());
  EML_TRY(CborReader bundle, map.required(2));
  EML_TRY(const ByteView bundle_bytes, bundle.bytes());
  EML_TRY(CborReader wrapped, map.required(3));
  EML_TRY(const ByteView wrapped_bytes, wrapped.bytes());
  EML_CHECK(map.done());
  if (bundle_bytes.size() > kBundleBytesMax || wrapped_bytes.size() > kReleaseWrappedDekMax) {
    return fail(kReleaseRequestMalformed, "a part is too large", bundle_bytes.size(), wrapped_bytes.size());
  }
  request.bundle = to_bytes(bundle_bytes);
  request.wrapped_dek = to_bytes(wrapped_bytes);
  return request;
}

CoseHeader release_header() {
  return {.algorithm = kCoseAlgEdDsa, .content_type = kCwtContentFormat, .type = std::string(kReleaseType)};
}

Bytes encode_release_statement(const ReleaseStatement& statement) {
  const std::size_t optional_members = (statement.key_id ? 1U : 0U) + (statement.sealed ? 1U : 0U) +
                                       (statement.model_hash ? 1U : 0U) + (statement.package_id ? 1U : 0U) +
                                       (statement.evidence_hash ? 1U : 0U);
  CborWriter out;
  out.map(8 + optional_members);
  out.uint(1).text(statement.issuer);
  out.uint(6).uint(static_cast<std::uint64_t>(statement.time));
  out.uint(7).bytes(statement.nonce);
  out.text("rule").text(statement.rule);
  if (statement.key_id) out.text("key_id").text(*statement.key_id);
  write_bytes(out, "sealed", statement.sealed);
  out.text("log_seq").uint(statement.log_seq);
  out.text("decision").text(statement.released ? "released" : "refused");
  out.text("log_hash").bytes(statement.log_hash);
  write_bytes(out, "model_hash", statement.model_hash);
  write_bytes(out, "package_id", statement.package_id);
  out.text("policy_hash").bytes(statement.policy_hash);
  write_bytes(out, "evidence_hash", statement.evidence_hash);
  return out.take();
}

Result<ReleaseStatement> decode_release_statement(ByteView payload) {
  EML_TRY(CborMap map, CborMap::decode(payload));
  ReleaseStatement out;
  EML_CHECK(read_claims(map, out));
  EML_CHECK(read_subject(map, out));
  EML_CHECK(read_decision(map, out));
  EML_CHECK(map.done());
  return out;
}

Bytes release_info(const Hash32& binding_digest) { return concat(label("eml release v1"), binding_digest); }

}  // namespace eml
