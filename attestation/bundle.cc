#include "attestation/bundle.h"

#include <algorithm>

#include "crypto/hash.h"
#include "encoding/cbor.h"

namespace eml {
namespace {

constexpr std::size_t kItemsMax = 64;  // of endorsements, devices, manifests, release records: one machine has fewer

void write_byte_strings(CborWriter& out, const std::vector<Bytes>& items) {
  out.array(items.size());
  for (const Bytes& item : items) out.bytes(item);
}

// Deterministic order of text keys: the shorter encoding first, then bytewise.
bool name_before(std::string_view a, std::string_view b) { return a.size() != b.size() ? a.size() < b.size() : a < b; }

void write_endorsements(CborWriter& out, std::vector<Endorsement> endorsements) {
  std::ranges::sort(endorsements, name_before, &Endorsement::name);
  out.map(endorsements.size());
  for (const Endorsement& item : endorsements) {
    const auto fetched_at = item.fetched_at < 0 ? 0 : static_cast<std::uint64_t>(item.fetched_at);
    out.text(item.name).array(2).uint(fetched_at).bytes(item.bytes);
  }
}

Result<Bytes> read_bytes(Result<CborReader> value) {
  if (!value) return std::unexpected(value.error());
  EML_TRY(const ByteView view, value->bytes());
  return to_bytes(view);
}

enum class MayBeEmpty : std::uint8_t { kNo, kYes };

Result<std::vector<Bytes>> read_byte_strings(CborReader value, MayBeEmpty may_be_empty) {
  EML_TRY(const std::size_t count, value.array());
  if (count > kItemsMax || (count == 0 && may_be_empty == MayBeEmpty::kNo)) {
    return fail(kCborOutOfRange, "1 to 64 items", count);
  }
  std::vector<Bytes> out;
  for (std::size_t i = 0; i < count; ++i) {
    EML_TRY(const ByteView view, value.bytes());
    out.push_back(to_bytes(view));
  }
  return out;
}

Result<Endorsement> read_endorsement(CborReader& in) {
  Endorsement out;
  EML_TRY(out.name, in.text());
  EML_TRY(const std::size_t parts, in.array());
  if (parts != 2) return fail(kCborOutOfRange, "an endorsement is [fetched at, bytes]", parts);
  EML_TRY(const std::uint64_t fetched_at, in.uint());
  if (fetched_at > static_cast<std::uint64_t>(kUnixSecondsMax)) return fail(kCborOutOfRange, "a time is out of range");
  out.fetched_at = static_cast<UnixSeconds>(fetched_at);
  EML_TRY(const ByteView bytes, in.bytes());
  out.bytes = to_bytes(bytes);
  return out;
}

Result<std::vector<Endorsement>> read_endorsements(CborReader value) {
  EML_TRY(const std::size_t count, value.map());
  if (count == 0 || count > kItemsMax) return fail(kCborOutOfRange, "1 to 64 endorsements", count);
  std::vector<Endorsement> out;
  for (std::size_t i = 0; i < count; ++i) {
    EML_TRY(Endorsement item, read_endorsement(value));
    if (!out.empty() && !name_before(out.back().name, item.name)) {
      return fail(kCborUnsortedKey, "endorsements are not in order", i);
    }
    out.push_back(std::move(item));
  }
  return out;
}

Result<EvidenceKind> read_kind(CborMap& map) {
  EML_TRY(CborReader value, map.required(1));
  EML_TRY(const std::string_view name, value.text());
  const auto kind = parse_evidence_kind(name);
  if (!kind) return fail(kBundleKindUnsupported, "evidence of a kind that we do not know");
  return *kind;
}

Result<EvidenceBundle> read_bundle(CborMap map) {
  EvidenceBundle out;
  EML_TRY(out.kind, read_kind(map));
  EML_TRY(out.evidence, read_bytes(map.required(2)));
  EML_TRY(out.binding, read_bytes(map.required(3)));
  if (const auto endorsements = map.optional(4)) {
    EML_TRY(out.endorsements, read_endorsements(*endorsements));
  }
  if (const auto devices = map.optional(5)) {
    EML_TRY(out.devices, read_byte_strings(*devices, MayBeEmpty::kNo));
  }
  EML_TRY(out.configuration, read_bytes(map.required(6)));
  EML_TRY(const CborReader manifests, map.required(7));
  EML_TRY(out.manifests, read_byte_strings(manifests, MayBeEmpty::kYes));
  if (const auto records = map.optional(8)) {
    EML_TRY(out.release_records, read_byte_strings(*records, MayBeEmpty::kNo));
  }
  EML_CHECK(map.done());
  return out;
}

}  // namespace

Hash32 devices_digest(const std::vector<Bytes>& devices) {
  CborWriter out;
  write_byte_strings(out, devices);
  return sha256(out.view());
}

Bytes encode_bundle(const EvidenceBundle& bundle) {
  const std::size_t optional_members = (bundle.endorsements.empty() ? 0U : 1U) + (bundle.devices.empty() ? 0U : 1U) +
                                       (bundle.release_records.empty() ? 0U : 1U);
  CborWriter out;
  out.map(5 + optional_members);
  out.uint(1).text(to_string(bundle.kind));
  out.uint(2).bytes(bundle.evidence);
  out.uint(3).bytes(bundle.binding);
  if (!bundle.endorsements.empty()) {
    out.uint(4);
    write_endorsements(out, bundle.endorsements);
  }
  if (!bundle.devices.empty()) {
    out.uint(5);
    write_byte_strings(out, bundle.devices);
  }
  out.uint(6).bytes(bundle.configuration);
  out.uint(7);
  write_byte_strings(out, bundle.manifests);
  if (!bundle.release_records.empty()) {
    out.uint(8);
    write_byte_strings(out, bundle.release_records);
  }
  return out.take();
}

Result<EvidenceBundle> decode_bundle(ByteView bytes) {
  if (bytes.size() > kBundleBytesMax) return fail(kBundleTooLarge, "a bundle is too large", bytes.size());
  auto map = CborMap::decode(bytes);
  if (!map) return fail(kBundleMalformed, "a bundle is not a deterministic CBOR map");
  auto bundle = read_bundle(*std::move(map));
  if (!bundle && bundle.error().code() != kBundleKindUnsupported) {
    return fail(kBundleMalformed, "a bundle's members are missing, unknown or of another type");
  }
  return bundle;
}

}  // namespace eml
