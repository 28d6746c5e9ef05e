#include "crypto/hash.h"

#include "crypto/openssl.h"
#include "crypto/sha2_state.h"

namespace eml {

Hash32 sha256(ByteView bytes) { return sha256_of({bytes}); }

Hash32 sha256_of(std::initializer_list<ByteView> parts) {
  Sha256State state;
  for (const ByteView part : parts) state.update(part);
  Hash32 out;
  state.finish(out.data());
  return out;
}

Hash48 sha384(ByteView bytes) {
  Sha384State state;
  state.update(bytes);
  Hash48 out;
  state.finish(out.data());
  return out;
}

struct Sha256::State : Sha256State {};
struct Sha384::State : Sha384State {};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(ByteView bytes) {
  if (state_ == nullptr) openssl::panic("a hash was continued after its end");
  state_->update(bytes);
}

Hash32 Sha256::finish() {
  if (state_ == nullptr) openssl::panic("a hash was finished twice");
  Hash32 out;
  state_->finish(out.data());
  state_.reset();
  return out;
}

Sha384::Sha384() : state_(std::make_unique<State>()) {}
Sha384::~Sha384() = default;
Sha384::Sha384(Sha384&&) noexcept = default;
Sha384& Sha384::operator=(Sha384&&) noexcept = default;

void Sha384::update(ByteView bytes) {
  if (state_ == nullptr) openssl::panic("a hash was continued after its end");
  state_->update(bytes);
}

Hash48 Sha384::finish() {
  if (state_ == nullptr) openssl::panic("a hash was finished twice");
  Hash48 out;
  state_->finish(out.data());
  state_.reset();
  return out;
}

}  // namespace eml
