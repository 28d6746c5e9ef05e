// The safetensors container: an 8-byte little-endian header length, a JSON header, tensor bytes without holes.
// Source: github.com/huggingface/safetensors, README "Format"; our bounds below are tighter.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace eml {

inline constexpr ErrorCode kSafetensorsTruncated{ErrorClass::kMalformed, "safetensors-truncated"};
inline constexpr ErrorCode kSafetensorsHeaderSize{ErrorClass::kLimit, "safetensors-header-size"};
inline constexpr ErrorCode kSafetensorsHeader{ErrorClass::kMalformed, "safetensors-header"};
inline constexpr ErrorCode kSafetensorsType{ErrorClass::kUnsupported, "safetensors-type"};
inline constexpr ErrorCode kSafetensorsShape{ErrorClass::kMalformed, "safetensors-shape"};
inline constexpr ErrorCode kSafetensorsOffsets{ErrorClass::kMalformed, "safetensors-offsets"};
inline constexpr ErrorCode kSafetensorsTensorMissing{ErrorClass::kMalformed, "safetensors-tensor-missing"};

// TensorType is the element type; bytes_per_element gives its size.
enum class TensorType : std::uint8_t {
  kBool,
  kU8,
  kI8,
  kF8E4M3,
  kF8E5M2,
  kU16,
  kI16,
  kF16,
  kBf16,
  kU32,
  kI32,
  kF32,
  kU64,
  kI64,
  kF64,
};
std::size_t bytes_per_element(TensorType type);

// Tensor is one entry: a name, a type, a shape of at most kRankMax sizes, and its bytes inside the file.
struct Tensor {
  static constexpr std::size_t kRankMax = 8;  // BERT needs 2; the format says nothing

  std::string_view name;  // lives as long as the Safetensors that returned it
  TensorType type = TensorType::kF32;
  std::vector<std::uint64_t> shape;
  ByteView bytes;            // unaligned
  std::uint64_t offset = 0;  // of `bytes` in the file

  std::uint64_t elements() const;
};

// Safetensors is a decoded header over bytes that the caller keeps alive. Tensors are in the order of their offsets.
class Safetensors {
 public:
  // Larger headers are refused: 104 tensors need 11 kB, and a model of 10,000 tensors about 1 MB.
  static constexpr std::uint64_t kHeaderBytesMax = 4U << 20;

  // decode checks everything that the format says: sizes, JSON, member names and types, shapes against bytes, and
  // that the tensors cover the rest of the file without hole or overlap.
  // Errors: Malformed (truncated, header, shape, offsets), Limit (header size), Unsupported (unknown type). The
  // integer is the index of the tensor in the header where there is one.
  static Result<Safetensors> decode(ByteView file);

  Safetensors() = default;
  Safetensors(Safetensors&&) noexcept = default;
  Safetensors& operator=(Safetensors&&) noexcept = default;
  Safetensors(const Safetensors&) = delete;  // the tensors' names point into this object
  Safetensors& operator=(const Safetensors&) = delete;

  const std::vector<Tensor>& tensors() const { return tensors_; }
  // find fails with kSafetensorsTensorMissing.
  Result<const Tensor*> find(std::string_view name) const;

 private:
  std::vector<std::string> names_;  // sorted like tensors_
  std::vector<Tensor> tensors_;
  std::vector<std::uint32_t> by_name_;
};

}  // namespace eml
