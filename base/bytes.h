// Bytes of three kinds, kept apart by type:
//   Bytes, ByteView         public bytes: may be logged, compared, copied
//   UserText (user_text.h)  what a user sent or gets: wiped after use, cannot reach a log or an error
//   SecretBytes (secret.h)  key material: locked, wiped, not copyable, not comparable
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace eml {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;
using MutableByteView = std::span<std::uint8_t>;

template <std::size_t n>
using ByteArray = std::array<std::uint8_t, n>;

using Hash32 = ByteArray<32>;  // SHA-256
using Hash48 = ByteArray<48>;  // SHA-384

// as_bytes views the characters of `text` as bytes; the view lives as long as `text`.
inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// as_text views bytes as characters, without any check of their encoding.
inline std::string_view as_text(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

inline Bytes to_bytes(ByteView view) { return Bytes(view.begin(), view.end()); }
inline Bytes to_bytes(std::string_view text) { return to_bytes(as_bytes(text)); }

// to_array copies exactly n bytes; nullopt if `view` has another size.
template <std::size_t n>
std::optional<ByteArray<n>> to_array(ByteView view) {
  if (view.size() != n) return std::nullopt;
  ByteArray<n> out;
  for (std::size_t i = 0; i < n; ++i) out[i] = view[i];
  return out;
}

// equal compares public bytes; it is not constant time (secrets are never compared with it).
bool equal(ByteView a, ByteView b);

// concat joins views into one buffer.
template <typename... Views>
Bytes concat(const Views&... views) {
  Bytes out;
  out.reserve((std::size_t{0} + ... + ByteView(views).size()));
  (out.insert(out.end(), ByteView(views).begin(), ByteView(views).end()), ...);
  return out;
}

// label is L("x") of docs/spec: the ASCII of x followed by one zero byte.
ByteView label(const char* text);

// hex gives lower-case digits. from_hex accepts both cases, an even count and nothing else.
std::string hex(ByteView bytes);
std::optional<Bytes> from_hex(std::string_view text);

}  // namespace eml
