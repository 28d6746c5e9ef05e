#include "audit/dossier.h"

#include <algorithm>

#include "attestation/bundle.h"
#include "crypto/cose/sign1.h"
#include "encoding/cbor.h"

namespace eml {
namespace {

constexpr std::int64_t kKeyVersion = 1;
constexpr std::int64_t kKeyReceipt = 2;
constexpr std::int64_t kKeyRequest = 3;
constexpr std::int64_t kKeyResponse = 4;
constexpr std::int64_t kKeyRequestHash = 5;
constexpr std::int64_t kKeyResponseHash = 6;
constexpr std::int64_t kKeyBundle = 7;
constexpr std::int64_t kKeyCleanup = 8;  // 9 is kept for a log proof

// More than version 1 has, so that one of a later version is told from a broken one.
constexpr std::size_t kPairsMax = 16;

constexpr std::uint8_t kMajorBytes = 2U << 5;
// Heads, keys, version and two hashes: far below this.
constexpr std::size_t kOverheadMax = 256;

Status check_part(ByteView part, std::size_t max) {
  if (part.empty()) return fail(kDossierMalformed, "a part of the dossier is empty");
  if (part.size() > max) return fail(kDossierTooLarge, "a part of the dossier is too large", max, part.size());
  return {};
}

Status check_body(const std::optional<ByteView>& body, const std::optional<Hash32>& hash, std::size_t max) {
  if (body.has_value() == hash.has_value())
    return fail(kDossierMalformed, "a body is given by its bytes or by its hash");
  if (!body) return {};
  return check_part(*body, max);
}

Status check_parts(const DossierParts& parts) {
  EML_CHECK(check_part(parts.receipt, kCoseSign1Max));
  EML_CHECK(check_body(parts.request, parts.request_hash, kDossierRequestMax));
  EML_CHECK(check_body(parts.response, parts.response_hash, kDossierResponseMax));
  EML_CHECK(check_part(parts.bundle, kBundleBytesMax));
  if (parts.cleanup) EML_CHECK(check_part(*parts.cleanup, kCoseSign1Max));
  return {};
}

// DossierWriter keeps the whole file in memory that is wiped; CborWriter sees heads and keys only.
class DossierWriter {
 public:
  explicit DossierWriter(std::size_t reserve_bytes) { out_.reserve(reserve_bytes); }

  void append(CborWriter& item) { out_.append(item.take()); }
  void bytes(std::int64_t key, ByteView value) {
    CborWriter head;
    head.integer(key);
    append(head);
    Bytes size = CborWriter().uint(value.size()).take();
    size.front() |= kMajorBytes;  // the head of an integer and of a byte string differ in the major type only
    out_.append(size);
    out_.append(value);
  }
  void bytes(std::int64_t key, const std::optional<ByteView>& value) {
    if (value) bytes(key, *value);
  }
  void bytes(std::int64_t key, const std::optional<Hash32>& value) {
    if (value) bytes(key, ByteView(*value));
  }
  UserText take() { return std::move(out_); }

 private:
  UserText out_;
};

std::size_t size_of(const std::optional<ByteView>& part) { return part ? part->size() : 0; }

Result<std::optional<ByteView>> optional_bytes(CborMap& map, std::int64_t key) {
  std::optional<CborReader> value = map.optional(key);
  if (!value) return std::nullopt;
  EML_TRY(const ByteView bytes, value->bytes());
  return bytes;
}

Result<std::optional<Hash32>> optional_hash(CborMap& map, std::int64_t key) {
  std::optional<CborReader> value = map.optional(key);
  if (!value) return std::nullopt;
  EML_TRY(const Hash32 hash, value->byte_array<32>());
  return hash;
}

Status read_version(CborMap& map) {
  EML_TRY(CborReader value, map.required(kKeyVersion));
  EML_TRY(const std::string_view version, value.text());
  if (version != kDossierVersionText) return fail(kDossierVersion, "the dossier has another version");
  return {};
}

// A map is decoded whole before its keys are known; in a file of this size that could be ten million pairs.
Status check_pair_count(ByteView bytes) {
  CborReader in(bytes);
  EML_TRY(const std::size_t pairs, in.map());
  if (pairs > kPairsMax) return fail(kDossierMalformed, "the dossier has too many members", kPairsMax, pairs);
  return {};
}

// All bytes of `prefix` but one.
bool nearly_starts_with(ByteView bytes, ByteView prefix) {
  if (bytes.size() < prefix.size()) return false;
  std::size_t equal = 0;
  for (std::size_t i = 0; i < prefix.size(); ++i) equal += bytes[i] == prefix[i] ? 1 : 0;
  return equal + 1 >= prefix.size();
}

bool starts_with(ByteView bytes, ByteView prefix) {
  return bytes.size() >= prefix.size() && equal(bytes.first(prefix.size()), prefix);
}

}  // namespace

Result<UserText> encode_dossier(const DossierParts& parts) {
  EML_CHECK(check_parts(parts));
  DossierWriter out(parts.receipt.size() + parts.bundle.size() + size_of(parts.request) + size_of(parts.response) +
                    size_of(parts.cleanup) + kOverheadMax);
  CborWriter start;
  start.map(std::size_t{5} + (parts.cleanup ? 1 : 0)).integer(kKeyVersion).text(kDossierVersionText);
  out.append(start);
  out.bytes(kKeyReceipt, parts.receipt);
  out.bytes(kKeyRequest, parts.request);
  out.bytes(kKeyResponse, parts.response);
  out.bytes(kKeyRequestHash, parts.request_hash);
  out.bytes(kKeyResponseHash, parts.response_hash);
  out.bytes(kKeyBundle, parts.bundle);
  out.bytes(kKeyCleanup, parts.cleanup);
  return out.take();
}

Result<DossierParts> decode_dossier(ByteView bytes) {
  if (bytes.size() > kDossierBytesMax) {
    return fail(kDossierTooLarge, "the dossier is too large", kDossierBytesMax, bytes.size());
  }
  EML_CHECK(check_pair_count(bytes));
  EML_TRY(CborMap map, CborMap::decode(bytes));
  EML_CHECK(read_version(map));
  DossierParts out;
  EML_TRY(CborReader receipt, map.required(kKeyReceipt));
  EML_TRY(out.receipt, receipt.bytes());
  EML_TRY(out.request, optional_bytes(map, kKeyRequest));
  EML_TRY(out.response, optional_bytes(map, kKeyResponse));
  EML_TRY(out.request_hash, optional_hash(map, kKeyRequestHash));
  EML_TRY(out.response_hash, optional_hash(map, kKeyResponseHash));
  EML_TRY(CborReader bundle, map.required(kKeyBundle));
  EML_TRY(out.bundle, bundle.bytes());
  EML_TRY(out.cleanup, optional_bytes(map, kKeyCleanup));
  EML_CHECK(map.done());
  EML_CHECK(check_parts(out));
  return out;
}

FileKind sniff_file(ByteView bytes) {
  // Tag 18, array of 4, then the protected header of six bytes: {1: -8, 3: 61}. A receipt with a damaged byte among
  // them is still a receipt, for the verifier to refuse.
  static constexpr std::uint8_t kReceiptStart[] = {0xd2, 0x84, 0x46, 0xa2, 0x01, 0x27, 0x03, 0x18, 0x3d};
  if (starts_with(bytes, ByteView(kReceiptStart).first(3)) || nearly_starts_with(bytes, kReceiptStart)) {
    return FileKind::kReceipt;
  }
  if (starts_with(bytes, ByteView(kReceiptStart).first(2))) return FileKind::kStatement;
  // A map whose first pair is the version: two bytes, then the head of its text.
  constexpr std::size_t kVersionAt = 3;
  const bool map = !bytes.empty() && (bytes.front() >> 5) == 5;
  if (!map) return FileKind::kUnknown;
  if (bytes.size() > kVersionAt && as_text(bytes.subspan(kVersionAt)).starts_with("eml-dossier/"))
    return FileKind::kDossier;
  return FileKind::kBundle;
}

}  // namespace eml
