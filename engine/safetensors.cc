#include "engine/safetensors.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "encoding/json.h"

namespace eml {
namespace {

struct NamedType {
  std::string_view name;
  TensorType type;
  std::size_t bytes;
};

constexpr std::array<NamedType, 15> kTypes = {{{"BOOL", TensorType::kBool, 1},
                                               {"U8", TensorType::kU8, 1},
                                               {"I8", TensorType::kI8, 1},
                                               {"F8_E4M3", TensorType::kF8E4M3, 1},
                                               {"F8_E5M2", TensorType::kF8E5M2, 1},
                                               {"U16", TensorType::kU16, 2},
                                               {"I16", TensorType::kI16, 2},
                                               {"F16", TensorType::kF16, 2},
                                               {"BF16", TensorType::kBf16, 2},
                                               {"U32", TensorType::kU32, 4},
                                               {"I32", TensorType::kI32, 4},
                                               {"F32", TensorType::kF32, 4},
                                               {"U64", TensorType::kU64, 8},
                                               {"I64", TensorType::kI64, 8},
                                               {"F64", TensorType::kF64, 8}}};

constexpr std::size_t kTensorsMax = 65536;
constexpr std::size_t kLengthBytes = 8;

std::uint64_t little_endian_64(ByteView bytes) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < 8; ++i) out |= std::uint64_t{bytes[i]} << (8 * i);
  return out;
}

// A header integer: Boost.JSON may hold it signed or unsigned.
std::optional<std::uint64_t> as_uint(const Json& value) {
  if (value.is_uint64()) return value.get_uint64();
  if (value.is_int64() && value.get_int64() >= 0) return static_cast<std::uint64_t>(value.get_int64());
  return std::nullopt;
}

Result<std::vector<std::uint64_t>> read_shape(const JsonObject& entry, std::uint64_t index) {
  const Json* value = entry.if_contains("shape");
  if (value == nullptr || !value->is_array()) return fail(kSafetensorsHeader, "a tensor has no shape", index);
  const JsonArray& array = value->get_array();
  if (array.size() > Tensor::kRankMax) return fail(kSafetensorsShape, "a tensor has too many dimensions", index);
  std::vector<std::uint64_t> shape;
  for (const Json& item : array) {
    const auto size = as_uint(item);
    if (!size) return fail(kSafetensorsShape, "a dimension is not a non-negative integer", index);
    shape.push_back(*size);
  }
  return shape;
}

struct Range {
  std::uint64_t begin, end;
};

Result<Range> read_offsets(const JsonObject& entry, std::uint64_t index) {
  const Json* value = entry.if_contains("data_offsets");
  if (value == nullptr || !value->is_array() || value->get_array().size() != 2) {
    return fail(kSafetensorsHeader, "a tensor has no pair of data offsets", index);
  }
  const auto begin = as_uint(value->get_array()[0]);
  const auto end = as_uint(value->get_array()[1]);
  if (!begin || !end || *begin > *end) {
    return fail(kSafetensorsOffsets, "data offsets are not an ascending pair", index);
  }
  return Range{*begin, *end};
}

Result<TensorType> read_type(const JsonObject& entry, std::uint64_t index) {
  const Json* value = entry.if_contains("dtype");
  if (value == nullptr || !value->is_string()) return fail(kSafetensorsHeader, "a tensor has no dtype", index);
  const std::string_view name(value->get_string());
  for (const NamedType& known : kTypes) {
    if (known.name == name) return known.type;
  }
  return fail(kSafetensorsType, "a tensor has an unknown dtype", index);
}

// The product of the sizes and the element size; nullopt if it does not fit.
std::optional<std::uint64_t> byte_count(const Tensor& tensor) {
  std::uint64_t bytes = bytes_per_element(tensor.type);
  for (const std::uint64_t size : tensor.shape) {
    if (__builtin_mul_overflow(bytes, size, &bytes)) return std::nullopt;
  }
  return bytes;
}

Result<Tensor> read_tensor(const Json& value, ByteView file, std::uint64_t data_begin, std::uint64_t index) {
  if (!value.is_object() || value.get_object().size() != 3) {
    return fail(kSafetensorsHeader, "a tensor is not an object of dtype, shape and data_offsets", index);
  }
  const JsonObject& entry = value.get_object();
  Tensor tensor;
  EML_TRY(tensor.type, read_type(entry, index));
  EML_TRY(tensor.shape, read_shape(entry, index));
  EML_TRY(const Range range, read_offsets(entry, index));
  if (range.end > file.size() - data_begin) {
    return fail(kSafetensorsOffsets, "a tensor ends outside the file", index);
  }
  const auto bytes = byte_count(tensor);
  if (!bytes || *bytes != range.end - range.begin) {
    return fail(kSafetensorsShape, "a tensor's shape does not match its bytes", index);
  }
  tensor.offset = data_begin + range.begin;
  tensor.bytes = file.subspan(tensor.offset, *bytes);
  return tensor;
}

Status check_metadata(const Json& value) {
  if (!value.is_object()) return fail(kSafetensorsHeader, "__metadata__ is not an object");
  for (const auto& member : value.get_object()) {
    if (!member.value().is_string()) return fail(kSafetensorsHeader, "__metadata__ holds something else than text");
  }
  return {};
}

}  // namespace

std::size_t bytes_per_element(TensorType type) {
  for (const NamedType& known : kTypes) {
    if (known.type == type) return known.bytes;
  }
  return 0;
}

std::uint64_t Tensor::elements() const {
  const std::size_t size = bytes_per_element(type);
  return size == 0 ? 0 : bytes.size() / size;
}

Result<Safetensors> Safetensors::decode(ByteView file) {
  if (file.size() < kLengthBytes)
    return fail(kSafetensorsTruncated, "the file is shorter than 8 bytes", 8, file.size());
  const std::uint64_t header_bytes = little_endian_64(file);
  if (header_bytes > kHeaderBytesMax) {
    return fail(kSafetensorsHeaderSize, "the header is larger than the limit", kHeaderBytesMax, header_bytes);
  }
  if (header_bytes > file.size() - kLengthBytes) {
    return fail(kSafetensorsTruncated, "the file ends inside its header", header_bytes, file.size() - kLengthBytes);
  }
  const ByteView header = file.subspan(kLengthBytes, header_bytes);
  if (header.empty() || header[0] != '{') return fail(kSafetensorsHeader, "the header does not start with a brace");
  EML_TRY(const Json root, parse_json(header, {.bytes_max = kHeaderBytesMax, .depth_max = 4}));
  if (!root.is_object()) return fail(kSafetensorsHeader, "the header is not an object");
  if (root.get_object().size() > kTensorsMax) return fail(kSafetensorsHeader, "the header has too many tensors");

  std::vector<std::pair<std::string, Tensor>> found;
  const std::uint64_t data_begin = kLengthBytes + header_bytes;
  for (const auto& member : root.get_object()) {
    if (std::string_view(member.key()) == "__metadata__") {
      EML_CHECK(check_metadata(member.value()));
      continue;
    }
    EML_TRY(Tensor tensor, read_tensor(member.value(), file, data_begin, found.size()));
    found.emplace_back(std::string(std::string_view(member.key())), std::move(tensor));
  }
  // Empty tensors share their offset with a neighbour: the end decides.
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::pair(a.second.offset, a.second.bytes.size()) < std::pair(b.second.offset, b.second.bytes.size());
  });
  std::uint64_t expected = data_begin;
  for (const auto& [name, tensor] : found) {
    if (tensor.offset != expected) {
      return fail(kSafetensorsOffsets, "tensors overlap or leave a hole", expected, tensor.offset);
    }
    expected += tensor.bytes.size();
  }
  if (expected != file.size()) {
    return fail(kSafetensorsOffsets, "bytes follow the last tensor", expected, file.size());
  }

  Safetensors out;
  out.names_.reserve(found.size());
  for (auto& [name, tensor] : found) {
    out.names_.push_back(std::move(name));
    out.tensors_.push_back(std::move(tensor));
  }
  for (std::size_t i = 0; i < found.size(); ++i) out.tensors_[i].name = out.names_[i];
  out.by_name_.resize(found.size());
  std::iota(out.by_name_.begin(), out.by_name_.end(), 0U);
  std::sort(out.by_name_.begin(), out.by_name_.end(),
            [&](std::uint32_t a, std::uint32_t b) { return out.names_[a] < out.names_[b]; });
  return out;
}

Result<const Tensor*> Safetensors::find(std::string_view name) const {
  const auto at = std::lower_bound(by_name_.begin(), by_name_.end(), name,
                                   [&](std::uint32_t i, std::string_view wanted) { return names_[i] < wanted; });
  if (at == by_name_.end() || names_[*at] != name) {
    return fail(kSafetensorsTensorMissing, "the weights lack a tensor that the configuration needs");
  }
  return &tensors_[*at];
}

}  // namespace eml
