#include "attester/snp_certificates.h"

#include <algorithm>
#include <array>
#include <string>

#include "encoding/base64.h"
#include "encoding/reader.h"

namespace eml {
namespace {

using Guid = ByteArray<16>;

constexpr Guid kVcekGuid{0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64,
                         0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd};
constexpr Guid kVlekGuid{0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e,
                         0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8, 0xa1};
constexpr Guid kAskGuid{0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4, 0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82};
constexpr Guid kArkGuid{0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52, 0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0, 0xae};
constexpr Guid kCrlGuid{0x92, 0xf8, 0x1b, 0xc3, 0x58, 0x11, 0x4d, 0x3d, 0x97, 0xff, 0xd1, 0x9f, 0x88, 0xdc, 0x67, 0xea};

constexpr std::size_t kSigningKeyOffset = 0x48;
constexpr std::size_t kPemLine = 64;  // RFC 7468, 2
constexpr std::string_view kPemBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kPemEnd = "-----END CERTIFICATE-----";

struct Entry {
  Guid guid;
  ByteView bytes;
  std::size_t offset;
};

Result<ByteView> slice(ByteView table, std::uint32_t offset, std::uint32_t length, std::size_t at) {
  if (length == 0 || offset > table.size() || length > table.size() - offset) {
    return fail(kSnpCertificates, "an entry of the certificate table points outside of it", at);
  }
  return table.subspan(offset, length);
}

Result<std::vector<Entry>> read_entries(ByteView table) {
  std::vector<Entry> entries;
  Reader in(table);
  while (entries.size() <= kSnpCertificateEntriesMax) {
    const std::size_t at = in.offset();
    const auto guid = in.array<16>();
    const auto offset = in.u32_le();
    const auto length = in.u32_le();
    if (!guid || !offset || !length) return fail(kSnpCertificates, "the certificate table has no end", at);
    if (*guid == Guid{}) return entries;
    EML_TRY(const ByteView bytes, slice(table, *offset, *length, at));
    if (std::ranges::find(entries, *guid, &Entry::guid) != entries.end()) {
      return fail(kSnpCertificates, "the certificate table names a certificate twice", at);
    }
    entries.push_back({.guid = *guid, .bytes = bytes, .offset = at});
  }
  return fail(kSnpCertificates, "the certificate table has too many entries", kSnpCertificateEntriesMax);
}

const Entry* find(const std::vector<Entry>& entries, const Guid& guid) {
  const auto found = std::ranges::find(entries, guid, &Entry::guid);
  return found == entries.end() ? nullptr : &*found;
}

Result<Bytes> der_of(const Entry& entry) {
  std::string_view text = as_text(entry.bytes);
  if (!text.starts_with(kPemBegin)) return to_bytes(entry.bytes);
  text.remove_prefix(kPemBegin.size());
  const std::size_t end = text.find(kPemEnd);
  std::string digits(text.substr(0, end));
  std::erase_if(digits, [](char c) { return c == '\n' || c == '\r'; });
  const auto der = from_base64(digits);
  if (end == std::string_view::npos || !der || der->empty()) {
    return fail(kSnpCertificates, "an entry of the certificate table is not PEM", entry.offset);
  }
  return *der;
}

std::string to_pem(ByteView der) {
  const std::string digits = base64(der);
  std::string out = std::string(kPemBegin) + "\n";
  for (std::size_t at = 0; at < digits.size(); at += kPemLine) out += digits.substr(at, kPemLine) + "\n";
  return out + std::string(kPemEnd) + "\n";
}

}  // namespace

std::optional<SnpSigningKey> snp_signing_key(ByteView report) {
  if (report.size() <= kSigningKeyOffset) return std::nullopt;
  switch ((report[kSigningKeyOffset] >> 2) & 7U) {
    case 0:
      return SnpSigningKey::kVcek;
    case 1:
      return SnpSigningKey::kVlek;
    default:
      return std::nullopt;
  }
}

Result<std::vector<Endorsement>> snp_endorsements(ByteView table, SnpSigningKey key, UnixSeconds fetched_at) {
  std::vector<Endorsement> out;
  if (table.empty()) return out;
  EML_TRY(const std::vector<Entry> entries, read_entries(table));
  if (const Entry* vek = find(entries, key == SnpSigningKey::kVcek ? kVcekGuid : kVlekGuid)) {
    EML_TRY(Bytes der, der_of(*vek));
    out.push_back({.name = "vek", .fetched_at = fetched_at, .bytes = std::move(der)});
  }
  const Entry* ask = find(entries, kAskGuid);
  const Entry* ark = find(entries, kArkGuid);
  if (ask != nullptr && ark != nullptr) {
    EML_TRY(const Bytes ask_der, der_of(*ask));
    EML_TRY(const Bytes ark_der, der_of(*ark));
    out.push_back({.name = "ca_chain", .fetched_at = fetched_at, .bytes = to_bytes(to_pem(ask_der) + to_pem(ark_der))});
  }
  if (const Entry* crl = find(entries, kCrlGuid)) {
    out.push_back({.name = "crl", .fetched_at = fetched_at, .bytes = to_bytes(crl->bytes)});
  }
  return out;
}

}  // namespace eml
