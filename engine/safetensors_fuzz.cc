// A header that decodes describes exactly the bytes behind it, in order and without a hole, and finds its own tensors.
#include <cstdlib>

#include "engine/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const eml::ByteView file(data, size);
  const auto decoded = eml::Safetensors::decode(file);
  if (!decoded) return 0;
  std::uint64_t at = decoded->tensors().empty() ? size : decoded->tensors()[0].offset;
  for (const eml::Tensor& tensor : decoded->tensors()) {
    if (tensor.offset != at || tensor.bytes.data() != data + at) std::abort();
    if (tensor.elements() * eml::bytes_per_element(tensor.type) != tensor.bytes.size()) std::abort();
    const auto found = decoded->find(tensor.name);
    if (!found || *found != &tensor) std::abort();
    at += tensor.bytes.size();
  }
  if (at != size) std::abort();
  return 0;
}
