// Loading: every tensor checked, converted to 32 bits, packed, and its source given back as soon as it is read.
#include <array>
#include <bit>
#include <cstring>
#include <string>

#include "engine/encoder.h"
#include "engine/kernels/self_check.h"

namespace eml {
namespace {

constexpr std::size_t kPackRows = kernels::kWidthStep;  // outputs converted at a time

// float_from_half converts IEEE 754 binary16 exactly.
float float_from_half(std::uint16_t half) {
  const std::uint32_t sign = (std::uint32_t{half} & 0x8000U) << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1fU;
  const std::uint32_t mantissa = half & 0x3ffU;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;  // zero and denormals
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
  }
  const std::uint32_t wide = exponent == 31 ? 255U : exponent + 112U;
  return std::bit_cast<float>(sign | (wide << 23) | (mantissa << 13));
}

std::uint16_t load_16(const std::uint8_t* p) { return static_cast<std::uint16_t>(p[0] | (p[1] << 8)); }

// read_floats converts n elements of `tensor` from element `first`.
void read_floats(float* out, const Tensor& tensor, std::uint64_t first, std::size_t n) {
  const std::uint8_t* from = tensor.bytes.data() + first * bytes_per_element(tensor.type);
  if (tensor.type == TensorType::kF32) {
    std::memcpy(out, from, n * sizeof(float));
  } else if (tensor.type == TensorType::kF16) {
    for (std::size_t i = 0; i < n; ++i) out[i] = float_from_half(load_16(from + 2 * i));
  } else {
    for (std::size_t i = 0; i < n; ++i) out[i] = std::bit_cast<float>(std::uint32_t{load_16(from + 2 * i)} << 16);
  }
}

// True if no element is an infinity or a NaN. `values` may be unaligned.
bool all_finite(const void* values, std::size_t n) {
  const char* p = static_cast<const char*>(values);
  std::uint32_t worst = 0;
  for (std::size_t i = 0; i < n; ++i) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, p + i * sizeof bits, sizeof bits);
    bits &= 0x7fffffffU;
    worst = bits > worst ? bits : worst;
  }
  return worst < 0x7f800000U;
}

}  // namespace

// EncoderLoader holds what only loading needs.
class EncoderLoader {
 public:
  EncoderLoader(Encoder& encoder, const Safetensors& file) : encoder_(encoder), config_(encoder.config_), file_(file) {}

  Status run() {
    prefix_ = file_.find("bert.embeddings.word_embeddings.weight") ? "bert." : "";
    EML_CHECK(check_names());
    EML_CHECK(allocate());
    EML_CHECK(load_embeddings());
    for (std::uint32_t i = 0; i < config_.layers; ++i) {
      EML_CHECK(load_layer(prefix_ + "encoder.layer." + std::to_string(i) + "."));
    }
    EML_CHECK(check_ignored());
    release_rest();
    return {};
  }

 private:
  using Shape = std::vector<std::uint64_t>;

  std::uint64_t place(const Tensor& tensor) const {
    return static_cast<std::uint64_t>(&tensor - file_.tensors().data());
  }

  bool ignorable(const Tensor& tensor) const {
    return tensor.name == prefix_ + "embeddings.position_ids" || tensor.name == prefix_ + "pooler.dense.weight" ||
           tensor.name == prefix_ + "pooler.dense.bias";
  }

  // Every tensor must be one that the architecture has; position ids and the pooler do not change an embedding.
  Status check_names() const {
    const std::size_t used = 5 + std::size_t{16} * config_.layers;
    std::size_t ignored = 0;
    for (const Tensor& tensor : file_.tensors()) {
      if (ignorable(tensor)) ++ignored;
    }
    // Each of the used ones is looked up by name later, so more than their number is the same as a stranger.
    if (file_.tensors().size() > used + ignored) {
      return fail(kWeightsExtra, "the weights hold tensors that the architecture does not have", used,
                  file_.tensors().size() - ignored);
    }
    return {};
  }

  // Where each thing begins: a cache line.
  static constexpr std::size_t kLineFloats = 16;
  static std::size_t whole_lines(std::size_t floats) { return (floats + kLineFloats - 1) / kLineFloats * kLineFloats; }

  std::size_t linear_floats(const kernels::MatrixShape& shape) const {
    const std::size_t packed = encoder_.profile_.packed_bytes(encoder_.kernels_, shape);
    return whole_lines((packed + sizeof(float) - 1) / sizeof(float)) + whole_lines(shape.columns);
  }

  Status allocate() {
    const std::size_t h = config_.hidden;
    const std::size_t f = config_.intermediate;
    const std::size_t layer = linear_floats({3 * h, h}) + linear_floats({h, h}) + linear_floats({f, h}) +
                              linear_floats({h, f}) + 4 * whole_lines(h);
    const std::size_t embeddings = whole_lines(config_.tokens_max * h) + 2 * whole_lines(h);
    EML_TRY(encoder_.packed_, HugeBuffer::allocate(layer * config_.layers + embeddings));
    next_ = encoder_.packed_.data();
    staging_.resize(kPackRows * std::max(h, f));
    return {};
  }

  float* take(std::size_t floats) {
    float* out = next_;
    next_ += whole_lines(floats);
    return out;
  }

  // Room for a matrix and its bias; the bias is to be read into what is returned.
  float* take_linear(Encoder::Linear& out, const kernels::MatrixShape& shape) {
    out.shape = shape;
    out.packed = next_;
    next_ += linear_floats(shape) - whole_lines(shape.columns);
    float* bias = take(shape.columns);
    out.bias = bias;
    return bias;
  }

  static bool floating(const Tensor& tensor) {
    return tensor.type == TensorType::kF32 || tensor.type == TensorType::kF16 || tensor.type == TensorType::kBf16;
  }

  // A file with a NaN is damaged, also where no embedding would read it.
  Status check_ignored() {
    for (const Tensor& tensor : file_.tensors()) {
      if (ignorable(tensor) && floating(tensor)) EML_CHECK(check_finite(tensor, 0));
    }
    return {};
  }

  // From element `first` to the end.
  Status check_finite(const Tensor& tensor, std::uint64_t first) {
    for (std::uint64_t left = tensor.elements() - first; left > 0;) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left, staging_.size()));
      EML_CHECK(read(staging_.data(), tensor, tensor.elements() - left, n));
      left -= n;
    }
    return {};
  }

  Result<const Tensor*> find(const std::string& name, const Shape& shape) const {
    EML_TRY(const Tensor* tensor, file_.find(name));
    if (tensor->shape != shape) return fail(kWeightsShape, "a tensor has another shape", place(*tensor));
    if (!floating(*tensor)) return fail(kWeightsType, "a tensor is not F32, F16 or BF16", place(*tensor));
    return tensor;
  }

  Status read(float* out, const Tensor& tensor, std::uint64_t first, std::size_t n) const {
    read_floats(out, tensor, first, n);
    if (!all_finite(out, n)) return fail(kWeightsNotFinite, "a tensor holds a NaN or an infinity", place(tensor));
    return {};
  }

  // All but word embeddings that are used in place: also what shared a page with a tensor that was still to be read.
  void release_rest() const {
    const ModelWeights& weights = encoder_.weights_;
    if (!weights.release) return;
    const bool in_place = encoder_.converted_words_.size() == 0;
    const std::size_t begin = in_place ? words_->offset : 0;
    const std::size_t end = in_place ? words_->offset + words_->bytes.size() : 0;
    weights.release(0, begin);
    weights.release(end, weights.bytes.size() - end);
  }

  void release(const Tensor& tensor) const {
    if (encoder_.weights_.release) encoder_.weights_.release(tensor.offset, tensor.bytes.size());
  }

  Status vector(const std::string& name, float* out, std::size_t n) const {
    EML_TRY(const Tensor* tensor, find(name, {n}));
    return read(out, *tensor, 0, n);
  }

  Status vector(const std::string& name, const float*& at) {
    float* out = take(config_.hidden);
    at = out;
    return vector(name, out, config_.hidden);
  }

  // Packs all of the tensor's outputs to `to`, where its first is output `column` of the matrix.
  Status matrix(const std::string& name, Encoder::Linear& to, std::size_t column, std::size_t columns) {
    const std::size_t depth = to.shape.depth;
    EML_TRY(const Tensor* tensor, find(name, {columns, depth}));
    // Only the loader writes here; afterwards nothing does.
    void* packed = const_cast<void*>(to.packed);
    for (std::size_t n = 0; n < columns; n += kPackRows) {
      EML_CHECK(read(staging_.data(), *tensor, n * depth, kPackRows * depth));
      const bool packable = encoder_.profile_.pack(encoder_.kernels_, {.weight = staging_.data(),
                                                                       .column_begin = column + n,
                                                                       .columns = kPackRows,
                                                                       .shape = to.shape,
                                                                       .packed = packed});
      if (!packable) return fail(kWeightsNotFinite, "a weight is out of the numerics profile's range", place(*tensor));
    }
    release(*tensor);
    return {};
  }

  Status linear(const std::string& name, Encoder::Linear& out, const kernels::MatrixShape& shape) {
    float* bias = take_linear(out, shape);
    EML_CHECK(matrix(name + ".weight", out, 0, shape.columns));
    return vector(name + ".bias", bias, shape.columns);
  }

  // Query, key and value become one matrix.
  Status attention_input(const std::string& name, Encoder::Linear& out) {
    const std::size_t h = config_.hidden;
    float* bias = take_linear(out, {3 * h, h});
    std::size_t part = 0;
    for (const char* which : {"query", "key", "value"}) {
      EML_CHECK(matrix(name + which + ".weight", out, part * h, h));
      EML_CHECK(vector(name + which + ".bias", bias + part * h, h));
      ++part;
    }
    return {};
  }

  Status load_layer(const std::string& name) {
    const std::size_t h = config_.hidden;
    const std::size_t f = config_.intermediate;
    Encoder::Layer layer{};
    EML_CHECK(attention_input(name + "attention.self.", layer.qkv));
    EML_CHECK(linear(name + "attention.output.dense", layer.output, {h, h}));
    EML_CHECK(vector(name + "attention.output.LayerNorm.weight", layer.norm1_weight));
    EML_CHECK(vector(name + "attention.output.LayerNorm.bias", layer.norm1_bias));
    EML_CHECK(linear(name + "intermediate.dense", layer.up, {f, h}));
    EML_CHECK(linear(name + "output.dense", layer.down, {h, f}));
    EML_CHECK(vector(name + "output.LayerNorm.weight", layer.norm2_weight));
    EML_CHECK(vector(name + "output.LayerNorm.bias", layer.norm2_bias));
    if (!encoder_.layers_.empty())
      encoder_.layers_.back().next = {.packed = layer.qkv.packed, .shape = layer.qkv.shape};
    encoder_.layers_.push_back(layer);
    return {};
  }

  Status load_embeddings() {
    const std::string name = prefix_ + "embeddings.";
    EML_CHECK(load_words(name + "word_embeddings.weight"));
    EML_CHECK(load_positions(name));
    EML_CHECK(vector(name + "LayerNorm.weight", encoder_.norm0_weight_));
    return vector(name + "LayerNorm.bias", encoder_.norm0_bias_);
  }

  // The largest tensor stays where it is if it can.
  Status load_words(const std::string& name) {
    const std::size_t h = config_.hidden;
    EML_TRY(words_, find(name, {config_.vocab_size, h}));
    const Tensor* words = words_;
    if (words->type == TensorType::kF32) {
      if (!all_finite(words->bytes.data(), words->bytes.size() / sizeof(float))) {
        return fail(kWeightsNotFinite, "a tensor holds a NaN or an infinity", place(*words));
      }
      // The file may put them at any address: every kernel reads them with unaligned loads.
      // NOLINTNEXTLINE(bugprone-casting-through-void): a reinterpret_cast would promise alignment
      encoder_.words_ = static_cast<const float*>(static_cast<const void*>(words->bytes.data()));
      return {};
    }
    EML_TRY(encoder_.converted_words_, HugeBuffer::allocate(config_.vocab_size * h));
    EML_CHECK(read(encoder_.converted_words_.data(), *words, 0, config_.vocab_size * h));
    encoder_.words_ = encoder_.converted_words_.data();
    release(*words);
    return {};
  }

  // Only token type 0 and the first tokens_max positions are used: their sum is one table.
  Status load_positions(const std::string& name) {
    const std::size_t h = config_.hidden;
    EML_TRY(const Tensor* positions, find(name + "position_embeddings.weight", {config_.positions, h}));
    EML_TRY(const Tensor* types, find(name + "token_type_embeddings.weight", {config_.token_types, h}));
    EML_CHECK(read(staging_.data(), *types, 0, h));
    float* table = take(config_.tokens_max * h);
    EML_CHECK(read(table, *positions, 0, config_.tokens_max * h));
    for (std::size_t p = 0; p < config_.tokens_max; ++p) {
      encoder_.kernels_.add(table + p * h, table + p * h, staging_.data(), h);
    }
    encoder_.positions_ = table;
    EML_CHECK(check_finite(*positions, std::uint64_t{config_.tokens_max} * h));
    EML_CHECK(check_finite(*types, h));
    release(*positions);
    return {};
  }

  Encoder& encoder_;
  const ModelConfig& config_;
  const Safetensors& file_;
  std::string prefix_;
  std::vector<float> staging_;
  const Tensor* words_ = nullptr;
  float* next_ = nullptr;
};

Result<std::unique_ptr<const Encoder>> Encoder::load(const ModelConfig& config, ModelWeights weights,
                                                     const kernels::Profile& profile) {
  if (!kernels::self_check(profile)) return fail(kKernelsSelfCheck, "the kernels differ from their definition");
  EML_TRY(const Safetensors file, Safetensors::decode(weights.bytes));
  std::unique_ptr<Encoder> encoder(new Encoder(config, profile));
  encoder->weights_ = std::move(weights);
  EML_CHECK(EncoderLoader(*encoder, file).run());
  return std::unique_ptr<const Encoder>(std::move(encoder));
}

}  // namespace eml
