#include <cstring>

#include "base/secret.h"

namespace eml {

std::size_t wipe(void* data, std::size_t size) {
  if (size != 0) ::explicit_bzero(data, size);
  return size;
}

std::size_t wipe(MutableByteView bytes) { return wipe(bytes.data(), bytes.size()); }

}  // namespace eml
