#include "base/user_text.h"

namespace eml {

std::size_t UserText::wipe_now() {
  // The allocator wipes the whole capacity when it gets the buffer back.
  const std::size_t wiped = bytes_.capacity();
  WipingVector<std::uint8_t>().swap(bytes_);
  return wiped;
}

}  // namespace eml
