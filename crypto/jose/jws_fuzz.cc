// Properties: a token that decodes is its three parts, written in one way; no key of a set that decodes is missing.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "crypto/jose/jws.h"
#include "encoding/base64.h"

namespace {

void expect(bool property) {
  if (!property) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const eml::ByteView bytes{data, size};
  if (const auto jws = eml::decode_jws(bytes)) {
    const std::string again = std::string(eml::as_text(jws->signing_input)) + '.' + eml::base64url(jws->signature);
    expect(again == eml::as_text(bytes));
    expect(jws->payload.is_object() && jws->header.is_object());
    expect(jws->algorithm != "none");
  }
  (void)eml::Jwks::decode(bytes);
  return 0;
}
