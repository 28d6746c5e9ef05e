// If a claims map decodes, it encodes to the same bytes; a whole receipt is decoded, and never verifies under a key
// that did not sign it. The input is taken once as a receipt and once as a claims map, so that the fuzzer gets past the
// signature without a switch in the product.
#include <cstdlib>

#include "receipt/air.h"
#include "receipt/air_claims.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const eml::ByteView input(data, size);
  const auto receipt = eml::UnverifiedReceipt::decode(input);
  if (receipt) {
    eml::Ed25519PublicKey key{};
    key.fill(0x5a);
    if (receipt->verify(key)) std::abort();
  } else if (eml::air_code(receipt.error()).empty()) {
    std::abort();
  }
  const auto claims = eml::decode_air_claims(input);
  if (claims) {
    if (!eml::equal(eml::encode_air_claims(*claims), input)) std::abort();
  } else if (eml::air_code(claims.error()).empty()) {
    std::abort();
  }
  return 0;
}
