// Models of the family's shapes, with random weights, against a forward pass in float64 that shares no code with the
// engine's.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>

#include "engine/kernels/profile.h"
#include "engine/safetensors.h"
#include "engine/test_model.h"

namespace eml {
namespace {

using test::TestModel;
using test::TestShape;
using Numbers = std::vector<double>;
using Rows = std::vector<Numbers>;

double number(const Tensor& tensor, std::size_t i) {
  const std::uint8_t* p = tensor.bytes.data() + i * bytes_per_element(tensor.type);
  if (tensor.type == TensorType::kF32) {
    float x = 0;
    std::memcpy(&x, p, sizeof x);
    return static_cast<double>(x);
  }
  const unsigned bits = p[0] | static_cast<unsigned>(p[1]) << 8;
  const double sign = (bits & 0x8000U) != 0 ? -1 : 1;
  if (tensor.type == TensorType::kF16) {
    const int exponent = static_cast<int>((bits >> 10) & 0x1fU);
    return exponent == 0 ? 0 : sign * std::ldexp(1024 + static_cast<double>(bits & 0x3ffU), exponent - 25);
  }
  const int exponent = static_cast<int>((bits >> 7) & 0xffU);
  return exponent == 0 ? 0 : sign * std::ldexp(128 + static_cast<double>(bits & 0x7fU), exponent - 134);
}

class Reference {
 public:
  Reference(const TestModel& model, const TestShape& shape, bool cls) : shape_(shape), cls_(cls) {
    const Bytes file = test::safetensors_of(model.tensors);
    const auto header = Safetensors::decode(file);
    for (const Tensor& tensor : header->tensors()) {
      Numbers& to = tensors_[std::string(tensor.name)];
      for (std::size_t i = 0; i < tensor.elements(); ++i) to.push_back(number(tensor, i));
    }
  }

  Numbers embed(const std::vector<TokenId>& text) const {
    Rows x(text.size(), Numbers(shape_.hidden));
    for (std::size_t s = 0; s < text.size(); ++s) {
      for (std::size_t i = 0; i < shape_.hidden; ++i) {
        x[s][i] = at("embeddings.word_embeddings.weight", text[s], i) +
                  at("embeddings.position_embeddings.weight", s, i) +
                  at("embeddings.token_type_embeddings.weight", 0, i);
      }
    }
    norm(x, "embeddings.LayerNorm");
    for (std::size_t l = 0; l < shape_.layers; ++l) layer(x, "encoder.layer." + std::to_string(l) + ".");
    Numbers out(shape_.hidden);
    for (std::size_t s = 0; s < (cls_ ? 1 : x.size()); ++s) {
      for (std::size_t i = 0; i < shape_.hidden; ++i) out[i] += x[s][i];
    }
    double squares = 0;
    for (const double v : out) squares += v * v;
    for (double& v : out) v /= std::sqrt(squares);
    return out;
  }

 private:
  double at(const std::string& name, std::size_t row, std::size_t i) const {
    return tensors_.at(name)[row * shape_.hidden + i];
  }

  void norm(Rows& x, const std::string& name) const {
    const Numbers& weight = tensors_.at(name + ".weight");
    const Numbers& bias = tensors_.at(name + ".bias");
    for (Numbers& row : x) {
      double mean = 0;
      double variance = 0;
      for (const double v : row) mean += v / static_cast<double>(row.size());
      for (const double v : row) variance += (v - mean) * (v - mean) / static_cast<double>(row.size());
      for (std::size_t i = 0; i < row.size(); ++i) {
        row[i] = (row[i] - mean) / std::sqrt(variance + 1e-12) * weight[i] + bias[i];
      }
    }
  }

  Rows linear(const Rows& x, const std::string& name, std::size_t columns) const {
    const Numbers& weight = tensors_.at(name + ".weight");
    Rows out(x.size(), tensors_.at(name + ".bias"));
    for (std::size_t s = 0; s < x.size(); ++s) {
      for (std::size_t n = 0; n < columns; ++n) {
        for (std::size_t k = 0; k < x[s].size(); ++k) out[s][n] += x[s][k] * weight[n * x[s].size() + k];
      }
    }
    return out;
  }

  void layer(Rows& x, const std::string& name) const {
    const Rows y = linear(attention(x, name + "attention.self."), name + "attention.output.dense", shape_.hidden);
    add(x, y);
    norm(x, name + "attention.output.LayerNorm");
    Rows h = linear(x, name + "intermediate.dense", shape_.intermediate);
    for (Numbers& row : h) {
      for (double& v : row) v = v * std::erfc(-v / std::sqrt(2.0)) / 2;
    }
    add(x, linear(h, name + "output.dense", shape_.hidden));
    norm(x, name + "output.LayerNorm");
  }

  Rows attention(const Rows& x, const std::string& name) const {
    const Rows q = linear(x, name + "query", shape_.hidden);
    const Rows k = linear(x, name + "key", shape_.hidden);
    const Rows v = linear(x, name + "value", shape_.hidden);
    const std::size_t size = shape_.hidden / shape_.heads;
    Rows out(x.size(), Numbers(shape_.hidden));
    for (std::size_t head = 0; head < shape_.hidden; head += size) {
      for (std::size_t s = 0; s < x.size(); ++s) {
        Numbers e(x.size());
        double sum = 0;
        for (std::size_t j = 0; j < x.size(); ++j) {
          double score = 0;
          for (std::size_t d = head; d < head + size; ++d) score += q[s][d] * k[j][d];
          e[j] = std::exp(score / std::sqrt(static_cast<double>(size)));
          sum += e[j];
        }
        for (std::size_t j = 0; j < x.size(); ++j) {
          for (std::size_t d = head; d < head + size; ++d) out[s][d] += e[j] / sum * v[j][d];
        }
      }
    }
    return out;
  }

  static void add(Rows& x, const Rows& y) {
    for (std::size_t s = 0; s < x.size(); ++s) {
      for (std::size_t i = 0; i < x[s].size(); ++i) x[s][i] += y[s][i];
    }
  }

  TestShape shape_;
  bool cls_;
  std::map<std::string, Numbers> tensors_;
};

struct Case {
  const char* name;
  TestShape shape;
  const char* dtype;
  bool cls;
};

class ModelShapes : public testing::TestWithParam<Case> {};

// Layers are fewer than the models have: one more of the same kind tests nothing new, and these run under sanitizers.
TEST_P(ModelShapes, EachProfileIsNearFloat64) {
  const Case& c = GetParam();
  TestModel files(c.dtype, c.shape);
  if (c.cls) files.pooling = R"({"pooling_mode_cls_token":true,"pooling_mode_mean_tokens":false})";
  const Reference reference(files, c.shape, c.cls);
  std::mt19937 engine(9);
  for (const std::string_view precision : kernels::numerics_profiles()) {
    const auto model = files.load({.precision = precision});
    ASSERT_TRUE(model) << model.error().to_string();
    auto workspace = (*model)->encoder().make_workspace();
    ASSERT_TRUE(workspace);
    for (const std::size_t tokens : {1U, 6U}) {
      std::vector<TokenId> text(tokens);
      for (TokenId& id : text) id = static_cast<TokenId>(engine() % 60);
      const Numbers want = reference.embed(text);
      std::vector<float> got(c.shape.hidden);
      const TokenSpan span(text);
      ASSERT_TRUE((*model)->encoder().embed(*workspace, {&span, 1}, got));
      double cosine = 0;
      double worst = 0;
      for (std::size_t i = 0; i < got.size(); ++i) {
        cosine += static_cast<double>(got[i]) * want[i];
        worst = std::max(worst, std::abs(static_cast<double>(got[i]) - want[i]));
      }
      if (precision == "fp32") EXPECT_LT(worst, 1e-5) << tokens;
      EXPECT_GT(cosine, precision == "fp32" ? 0.999999 : precision == "bf16" ? 0.999 : 0.99) << precision << tokens;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, ModelShapes,
    testing::Values(
        Case{"minilm", {.hidden = 384, .heads = 12, .intermediate = 1536, .layers = 1}, "F32", false},
        Case{"bge_small", {.hidden = 384, .heads = 12, .intermediate = 1536, .layers = 1}, "F16", true},
        Case{"e5_small", {.hidden = 384, .heads = 12, .intermediate = 1536, .layers = 2}, "BF16", false},
        Case{"bert_base", {.hidden = 768, .heads = 12, .intermediate = 3072, .layers = 1}, "F32", true},
        Case{"one_type", {.hidden = 64, .heads = 2, .intermediate = 96, .layers = 3, .token_types = 1}, "F32", false},
        Case{"odd_widths", {.hidden = 160, .heads = 5, .intermediate = 416, .layers = 2}, "F32", false},
        Case{"wide_heads", {.hidden = 192, .heads = 2, .intermediate = 800, .layers = 2}, "F32", false}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace eml
