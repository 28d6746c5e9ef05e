// A payload that a statement accepts is issued again as the same bytes: the fuzzer's input is signed here, so that it
// reaches the claims.
#include "receipt/statement.h"

#include <cstdlib>

#include "crypto/cose/sign1.h"

namespace {

const eml::Ed25519Key& key() {
  static const eml::Ed25519Key k = *eml::Ed25519Key::from_seed(eml::copy_to_secret(eml::Bytes(32, 0x2a)));
  return k;
}

eml::Bytes signed_as(std::string_view type, eml::ByteView payload) {
  return eml::sign1(key(), eml::CoseHeader{.type = std::string(type)}, payload);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const eml::ByteView input(data, size);
  if (size > 60000) return 0;
  const eml::Bytes refusal = signed_as(eml::kRefusalType, input);
  if (const auto read = eml::verify_refusal(refusal, key().public_key())) {
    if (eml::issue_refusal(key(), *read).value() != refusal) std::abort();
  }
  const eml::Bytes cleanup = signed_as(eml::kCleanupType, input);
  if (const auto read = eml::verify_cleanup(cleanup, key().public_key())) {
    if (eml::issue_cleanup(key(), *read).value() != cleanup) std::abort();
  }
  if (eml::verify_cleanup(input, key().public_key())) std::abort();
  return 0;
}
