// UnverifiedNitroDocument is a Nitro attestation document as it arrived: well formed, and nothing more.
// Source: docs/spec/evidence/nitro.md, sections 2 and 3 (steps 1 to 4).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace eml {

inline constexpr ErrorCode kNitroParse{ErrorClass::kMalformed, "nitro-parse"};
inline constexpr ErrorCode kNitroTooLarge{ErrorClass::kLimit, "nitro-too-large"};
inline constexpr ErrorCode kNitroTrailingData{ErrorClass::kMalformed, "nitro-trailing-data"};
inline constexpr ErrorCode kNitroAlgorithm{ErrorClass::kUnsupported, "nitro-algorithm"};
inline constexpr ErrorCode kNitroField{ErrorClass::kMalformed, "nitro-field"};

inline constexpr std::size_t kNitroDocumentBytesMax = 32 * 1024;  // the NSM's buffer has 12 KiB
inline constexpr std::size_t kNitroPcrCountMax = 32;
inline constexpr std::size_t kNitroBundleMax = 8;  // genuine ones have 4

// NitroDocument is what the payload says.
struct NitroDocument {
  std::string module_id;
  std::uint64_t timestamp_ms = 0;
  std::map<unsigned, Bytes> pcrs;  // 32, 48 or 64 bytes each
  Bytes certificate;               // DER
  std::vector<Bytes> cabundle;     // DER, root first
  std::optional<Bytes> public_key;
  std::optional<Bytes> user_data;
  std::optional<Bytes> nonce;
};

class UnverifiedNitroDocument {
 public:
  // decode: kNitroTooLarge, kNitroParse, kNitroTrailingData, kNitroAlgorithm, kNitroField; the integer, if any, is an
  // offset in the payload.
  static Result<UnverifiedNitroDocument> decode(ByteView evidence);

  const NitroDocument& document() const { return document_; }
  bool tagged() const { return tagged_; }
  const Bytes& signature() const { return signature_; }        // of any length
  const Bytes& signed_bytes() const { return signed_bytes_; }  // the Sig_structure (RFC 9052, 4.4)

 private:
  NitroDocument document_;
  bool tagged_ = false;
  Bytes signature_;
  Bytes signed_bytes_;
};

}  // namespace eml
