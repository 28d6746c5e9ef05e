#include "attestation/nitro/document.h"

#include <algorithm>
#include <array>

#include "encoding/cbor.h"

namespace eml {
namespace {

constexpr std::uint64_t kTagSign1 = 18;
constexpr std::array<std::uint8_t, 4> kProtectedEs384{0xa1, 0x01, 0x38, 0x22};  // {1: -35}

constexpr std::size_t kKeyCount = 9;
constexpr std::size_t kCertificateMax = 1024;
constexpr std::size_t kPublicKeyMax = 1024;
constexpr std::size_t kUserDataMax = 512;
constexpr std::size_t kNonceMax = 512;

std::unexpected<Error> bad_field(Literal what, std::size_t offset) { return fail(kNitroField, what, offset); }

Result<Bytes> read_certificate(CborReader& in) {
  const std::size_t at = in.offset();
  const auto der = in.bytes();
  if (!der || der->empty() || der->size() > kCertificateMax) {
    return bad_field("a certificate is 1 to 1024 bytes", at);
  }
  return to_bytes(*der);
}

Result<std::optional<Bytes>> read_optional(CborReader& in, std::size_t size_max) {
  const std::size_t at = in.offset();
  const auto type = in.peek();
  if (type && *type == CborType::kNull) {
    EML_CHECK(in.null());
    return std::optional<Bytes>();
  }
  const auto value = in.bytes();
  if (!value || value->size() > size_max) return bad_field("not null, nor bytes of a length that may be", at);
  return std::optional(to_bytes(*value));
}

Status read_pcrs(CborReader& in, std::map<unsigned, Bytes>& out) {
  const std::size_t at = in.offset();
  EML_TRY(auto items, in.begin_map(kNitroPcrCountMax));
  for (;;) {
    EML_TRY(const bool more, in.next(items));
    if (!more) break;
    EML_TRY(const std::uint64_t index, in.uint());
    EML_TRY(const ByteView value, in.bytes());
    if (index >= kNitroPcrCountMax) return bad_field("a PCR's index is 0 to 31", at);
    if (value.size() != 32 && value.size() != 48 && value.size() != 64) {
      return bad_field("a PCR has 32, 48 or 64 bytes", at);
    }
    if (!out.emplace(static_cast<unsigned>(index), to_bytes(value)).second) return bad_field("a PCR twice", at);
  }
  if (out.empty()) return bad_field("no PCRs", at);
  return {};
}

Status read_bundle(CborReader& in, std::vector<Bytes>& out) {
  const std::size_t at = in.offset();
  EML_TRY(auto items, in.begin_array(kNitroBundleMax));
  for (;;) {
    EML_TRY(const bool more, in.next(items));
    if (!more) break;
    EML_TRY(Bytes der, read_certificate(in));
    out.push_back(std::move(der));
  }
  if (out.empty()) return bad_field("an empty cabundle", at);
  return {};
}

Status read_digest(CborReader& in) {
  const std::size_t at = in.offset();
  EML_TRY(const std::string_view digest, in.text());
  if (digest != "SHA384") return bad_field("digest is not SHA384", at);
  return {};
}

// The order is that of genuine documents; `seen` has a bit for each.
constexpr std::array<std::string_view, kKeyCount> kKeys{"module_id", "digest",     "timestamp", "pcrs", "certificate",
                                                        "cabundle",  "public_key", "user_data", "nonce"};
constexpr unsigned kRequiredKeys = 0x3f;

Status read_value(CborReader& in, std::size_t key, NitroDocument& out) {
  switch (key) {
    case 0: {
      EML_TRY(out.module_id, in.text());
      return {};
    }
    case 1:
      return read_digest(in);
    case 2: {
      EML_TRY(out.timestamp_ms, in.uint());
      return {};
    }
    case 3:
      return read_pcrs(in, out.pcrs);
    case 4: {
      EML_TRY(out.certificate, read_certificate(in));
      return {};
    }
    case 5:
      return read_bundle(in, out.cabundle);
    case 6: {
      EML_TRY(out.public_key, read_optional(in, kPublicKeyMax));
      return {};
    }
    case 7: {
      EML_TRY(out.user_data, read_optional(in, kUserDataMax));
      return {};
    }
    default: {
      EML_TRY(out.nonce, read_optional(in, kNonceMax));
      return {};
    }
  }
}

Status read_entries(CborReader& in, NitroDocument& out) {
  EML_TRY(auto items, in.begin_map(kKeyCount));
  unsigned seen = 0;
  for (;;) {
    EML_TRY(const bool more, in.next(items));
    if (!more) break;
    const std::size_t at = in.offset();
    EML_TRY(const std::string_view name, in.text());
    const auto key = static_cast<std::size_t>(std::ranges::find(kKeys, name) - kKeys.begin());
    if (key == kKeys.size()) return bad_field("a key that no document has", at);
    if ((seen & (1U << key)) != 0) return bad_field("a key twice", at);
    seen |= 1U << key;
    EML_CHECK(read_value(in, key, out));
  }
  if ((seen & kRequiredKeys) != kRequiredKeys) return bad_field("a required key is missing", 0);
  if (out.module_id.empty()) return bad_field("an empty module_id", 0);
  if (out.timestamp_ms == 0) return bad_field("timestamp is zero", 0);
  return {};
}

bool is_map(ByteView payload) { return !payload.empty() && (payload[0] >> 5) == 5; }

// What is no CBOR of the expected shape is a field's error, except where nothing after it could be read either.
Result<NitroDocument> read_payload(ByteView payload) {
  if (!is_map(payload)) return fail(kNitroParse, "the payload is not a map", 0);
  NitroDocument out;
  CborReader in(payload);
  if (const Status read = read_entries(in, out); !read) {
    const Error& error = read.error();
    if (error.code() == kNitroField) return std::unexpected(error);
    if (error.code() == kCborTruncated) return fail(kNitroParse, "the payload ends inside an item", error.first());
    return bad_field("a value has another type or encoding than its key says", error.first());
  }
  if (!in.at_end()) return fail(kNitroTrailingData, "bytes follow the map of the payload", in.offset());
  return out;
}

struct Envelope {
  bool tagged = false;
  ByteView protected_header;
  ByteView payload;
  ByteView signature;
};

Result<Envelope> read_envelope(CborReader& in) {
  Envelope out;
  EML_TRY(const CborType type, in.peek());
  if (type == CborType::kTag) {
    EML_TRY(const std::uint64_t tag, in.tag());
    if (tag != kTagSign1) return fail(kNitroParse, "another tag than that of COSE_Sign1");
    out.tagged = true;
  }
  EML_TRY(const std::size_t items, in.array());
  if (items != 4) return fail(kNitroParse, "a COSE_Sign1 is an array of 4");
  EML_TRY(out.protected_header, in.bytes());
  EML_TRY(const std::size_t unprotected, in.map());
  if (unprotected != 0) return fail(kNitroParse, "the unprotected header is not empty");
  EML_TRY(out.payload, in.bytes());
  EML_TRY(out.signature, in.bytes());
  return out;
}

}  // namespace

Result<UnverifiedNitroDocument> UnverifiedNitroDocument::decode(ByteView evidence) {
  if (evidence.size() > kNitroDocumentBytesMax) return fail(kNitroTooLarge, "more than 32 KiB", evidence.size());
  CborReader in(evidence);
  const auto envelope = read_envelope(in);
  if (!envelope) return fail(kNitroParse, "not an untagged or tagged COSE_Sign1", in.offset());
  if (!in.at_end()) return fail(kNitroTrailingData, "bytes follow the COSE_Sign1", in.offset());
  if (!equal(envelope->protected_header, kProtectedEs384)) {
    return fail(kNitroAlgorithm, "the protected header is not {1: -35}");
  }
  UnverifiedNitroDocument out;
  EML_TRY(out.document_, read_payload(envelope->payload));
  out.tagged_ = envelope->tagged;
  out.signature_ = to_bytes(envelope->signature);
  CborWriter to_sign;
  to_sign.array(4).text("Signature1").bytes(envelope->protected_header).bytes({}).bytes(envelope->payload);
  out.signed_bytes_ = to_sign.take();
  return out;
}

}  // namespace eml
