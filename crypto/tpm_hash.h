// tpm_hash hashes with an algorithm that is named by its TPM_ALG_ID, as logs, PCR banks and quotes name it.
//
// SHA-1 is among them because logs have SHA-1 banks. What rests on SHA-1 alone proves nothing; whoever judges says so.
// Source: TCG Algorithm Registry, "TPM_ALG_ID"; TPM 2.0 Library, Part 2, "TPM_ALG_ID Constants".
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "base/bytes.h"

namespace eml {

inline constexpr std::uint16_t kTpmSha1 = 0x0004;
inline constexpr std::uint16_t kTpmSha256 = 0x000b;
inline constexpr std::uint16_t kTpmSha384 = 0x000c;
inline constexpr std::uint16_t kTpmSha512 = 0x000d;

// Keys, schemes and curves of the same registry, for whoever reads or writes a TPM's structures.
inline constexpr std::uint16_t kTpmRsa = 0x0001;
inline constexpr std::uint16_t kTpmNull = 0x0010;
inline constexpr std::uint16_t kTpmRsassa = 0x0014;
inline constexpr std::uint16_t kTpmRsapss = 0x0016;
inline constexpr std::uint16_t kTpmEcdsa = 0x0018;
inline constexpr std::uint16_t kTpmEcc = 0x0023;
inline constexpr std::uint16_t kTpmCurveP256 = 0x0003;
inline constexpr std::uint16_t kTpmCurveP384 = 0x0004;

// tpm_hash_size is the size of a digest in bytes; 0 for an algorithm that is none of the four.
std::size_t tpm_hash_size(std::uint16_t algorithm);
// tpm_hash_name is "sha1", "sha256", ...; empty for another.
std::string_view tpm_hash_name(std::uint16_t algorithm);
// tpm_hash hashes the concatenation of its parts; empty for an algorithm that is none of the four.
Bytes tpm_hash(std::uint16_t algorithm, std::initializer_list<ByteView> parts);

}  // namespace eml
