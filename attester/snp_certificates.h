// The certificate table that an SEV-SNP host hands to its guest next to a report. It comes from the host and proves
// nothing: whoever verifies judges each certificate.
// Source: AMD 56421 (GHCB), 4.1.8.1, MSG_REPORT_REQ: entries of 24 bytes, a GUID in the order of its text, offset and
// length little-endian, ended by a zero GUID; names of endorsements: docs/spec/evidence/sevsnp.md, "Collateral".
#pragma once

#include <optional>
#include <vector>

#include "attestation/bundle.h"

namespace eml {

inline constexpr ErrorCode kSnpCertificates{ErrorClass::kMalformed, "snp-certificates-malformed"};

inline constexpr std::size_t kSnpCertificateEntriesMax = 64;  // a host has five

enum class SnpSigningKey : std::uint8_t { kVcek, kVlek };

// snp_signing_key reads which key signed `report` (bits 2 to 4 of the word at 0x48): nullopt for none, another, or
// bytes that are too short.
std::optional<SnpSigningKey> snp_signing_key(ByteView report);

// snp_endorsements gives of `table` what it has for a report signed by `key`: "vek" (DER), "ca_chain" (PEM: ASK or
// ASVK, then ARK; both or none) and "crl" (DER). Hosts store certificates as DER or as PEM. An empty table gives
// nothing. kSnpCertificates with the offset of the entry for a table that is not one, or a PEM entry that is none.
Result<std::vector<Endorsement>> snp_endorsements(ByteView table, SnpSigningKey key, UnixSeconds fetched_at);

}  // namespace eml
