#include "encoding/wiping_resource.h"

#include <new>

#include "base/secret.h"

namespace eml {

void* WipingResource::do_allocate(std::size_t size, std::size_t alignment) {
  void* data = ::operator new(size, std::align_val_t{alignment});
  ++buffers_allocated_;
  return data;
}

void WipingResource::do_deallocate(void* data, std::size_t size, std::size_t alignment) {
  bytes_wiped_ += wipe(data, size);
  ++buffers_wiped_;
  ::operator delete(data, std::align_val_t{alignment});
}

}  // namespace eml
