// SHA-2 over OpenSSL. `H` in docs/spec is sha256.
#pragma once

#include <initializer_list>
#include <memory>

#include "base/bytes.h"

namespace eml {

Hash32 sha256(ByteView bytes);
// sha256_of hashes the concatenation of its parts without joining them.
Hash32 sha256_of(std::initializer_list<ByteView> parts);
Hash48 sha384(ByteView bytes);

// Sha256 and Sha384 hash what arrives in pieces. finish may be called once.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(ByteView bytes);
  Hash32 finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class Sha384 {
 public:
  Sha384();
  ~Sha384();
  Sha384(Sha384&&) noexcept;
  Sha384& operator=(Sha384&&) noexcept;
  void update(ByteView bytes);
  Hash48 finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace eml
