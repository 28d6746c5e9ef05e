#define OPENSSL_SUPPRESS_DEPRECATED  // see sha2_state.h
#include "crypto/sha2_state.h"

#include "crypto/openssl.h"

namespace eml {

using openssl::must;

Sha256State::Sha256State() { must(SHA256_Init(&ctx_)); }
void Sha256State::update(ByteView bytes) { must(SHA256_Update(&ctx_, bytes.data(), bytes.size())); }
void Sha256State::finish(std::uint8_t* out) { must(SHA256_Final(out, &ctx_)); }

Sha384State::Sha384State() { must(SHA384_Init(&ctx_)); }
void Sha384State::update(ByteView bytes) { must(SHA384_Update(&ctx_, bytes.data(), bytes.size())); }
void Sha384State::finish(std::uint8_t* out) { must(SHA384_Final(out, &ctx_)); }

}  // namespace eml
