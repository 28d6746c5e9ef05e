// A dossier is one file with all that somebody needs, years later, to judge one answer: receipt, bodies (or their
// hashes), evidence bundle, cleanup statement. It is deterministic CBOR, closed, and signed by nobody: what counts is
// what its parts prove together.
// Source: docs/spec/dossier.md.
#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/user_text.h"

namespace eml {

inline constexpr ErrorCode kDossierMalformed{ErrorClass::kMalformed, "dossier-malformed"};
inline constexpr ErrorCode kDossierVersion{ErrorClass::kUnsupported, "dossier-version"};
inline constexpr ErrorCode kDossierTooLarge{ErrorClass::kLimit, "dossier-too-large"};

inline constexpr std::string_view kDossierVersionText = "eml-dossier/1";
inline constexpr std::string_view kDossierExtension = ".dossier";
inline constexpr std::size_t kDossierRequestMax = std::size_t{4} << 20;    // channel.md, limits
inline constexpr std::size_t kDossierResponseMax = std::size_t{64} << 20;  // channel.md, limits
inline constexpr std::size_t kDossierBytesMax = std::size_t{70} << 20;     // both bodies, a bundle and change

// DossierParts views the parts of a dossier; it owns nothing. Of each body exactly one is set: its bytes or its hash.
struct DossierParts {
  ByteView receipt;
  std::optional<ByteView> request;   // user text
  std::optional<ByteView> response;  // user text
  std::optional<Hash32> request_hash;
  std::optional<Hash32> response_hash;
  ByteView bundle;
  std::optional<ByteView> cleanup;  // absent only if the server sent none: link 11 then fails to be checked
};

// encode_dossier joins the parts. kDossierMalformed if a body is given twice or not at all, or a part is empty or over
// its bound.
Result<UserText> encode_dossier(const DossierParts& parts);

// decode_dossier accepts exactly what encode_dossier makes. The views are into `bytes`. Every part is as it arrived
// and not looked at.
Result<DossierParts> decode_dossier(ByteView bytes);

// FileKind is what the first bytes of a file say that it is; nothing is checked by that.
enum class FileKind : std::uint8_t { kReceipt, kStatement, kDossier, kBundle, kUnknown };
FileKind sniff_file(ByteView bytes);

}  // namespace eml
