// A small model for tests: two layers of width 32, weights from a seed, a vocabulary of letters and a few words.
#pragma once

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/files.h"
#include "engine/embedding_model.h"
#include "engine/model_dir.h"
#include "tests/support/shared.h"

namespace eml::test {

struct TestTensor {
  std::string name;
  std::string dtype;
  std::string shape;  // JSON
  Bytes bytes;
};

inline Bytes safetensors_file(const std::string& header, ByteView data) {
  Bytes out(8);
  for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<std::uint8_t>(header.size() >> (8 * i));
  out.insert(out.end(), header.begin(), header.end());
  out.insert(out.end(), data.begin(), data.end());
  return out;
}

inline Bytes safetensors_of(const std::vector<TestTensor>& tensors) {
  std::string header = "{\"__metadata__\":{\"format\":\"pt\"}";
  Bytes data;
  for (const TestTensor& tensor : tensors) {
    header += ",\"" + tensor.name + "\":{\"dtype\":\"" + tensor.dtype + "\",\"shape\":" + tensor.shape +
              ",\"data_offsets\":[" + std::to_string(data.size()) + "," +
              std::to_string(data.size() + tensor.bytes.size()) + "]}";
    data.insert(data.end(), tensor.bytes.begin(), tensor.bytes.end());
  }
  return safetensors_file(header + "}", data);
}

// TestShape is what a model of the family may vary in.
struct TestShape {
  std::size_t hidden = 32;
  std::size_t heads = 1;
  std::size_t intermediate = 64;
  std::size_t layers = 2;
  std::size_t positions = 64;
  std::size_t token_types = 2;
};

// half_of rounds to IEEE 754 binary16, towards zero; what is too small becomes 0.
inline std::uint16_t half_of(float x) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &x, sizeof bits);
  const std::uint32_t exponent = (bits >> 23) & 0xffU;
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000U);
  if (exponent <= 112) return sign;
  return static_cast<std::uint16_t>(sign | ((exponent - 112) << 10) | ((bits >> 13) & 0x3ffU));
}

// TestModel holds the files; change them before load() to make a bad model.
struct TestModel {
  static constexpr std::size_t kHidden = 32;
  static constexpr std::size_t kIntermediate = 64;
  static constexpr std::size_t kLayers = 2;
  static constexpr std::size_t kPositions = 64;

  std::string config;
  std::string tokenizer;
  std::string pooling;
  std::string sentence_bert;
  std::vector<TestTensor> tensors;

  explicit TestModel(const std::string& dtype = "F32", const TestShape& shape = {}, std::uint32_t seed = 7)
      : shape_(shape), engine_(seed) {
    std::string vocab;
    std::size_t size = 0;
    const auto word = [&](const std::string& text) {
      vocab += (size == 0 ? "\"" : ",\"") + text + "\":" + std::to_string(size);
      ++size;
    };
    for (const char* special : {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "hello", "world", "the", "##ing", "test"})
      word(special);
    for (char c = 'a'; c <= 'z'; ++c) {
      word(std::string(1, c));
      word("##" + std::string(1, c));
    }
    word("-");
    tokenizer =
        R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":[)"
        R"({"id":2,"special":true,"content":"[CLS]","single_word":false,"lstrip":false,"rstrip":false,"normalized":false},)"
        R"({"id":3,"special":true,"content":"[SEP]","single_word":false,"lstrip":false,"rstrip":false,"normalized":false}],)"
        R"("normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true},)"
        R"("pre_tokenizer":{"type":"BertPreTokenizer"},"post_processor":{"type":"BertProcessing","sep":["[SEP]",3],"cls":["[CLS]",2]},)"
        R"("decoder":null,"model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##",)"
        R"("max_input_chars_per_word":100,"vocab":{)" +
        vocab + "}}}";
    const auto member = [](const char* name, std::size_t value) {
      return std::string(",\"") + name + "\":" + std::to_string(value);
    };
    config = R"({"model_type":"bert","hidden_act":"gelu","layer_norm_eps":1e-12)" +
             member("hidden_size", shape.hidden) + member("intermediate_size", shape.intermediate) +
             member("num_hidden_layers", shape.layers) + member("num_attention_heads", shape.heads) +
             member("max_position_embeddings", shape.positions) + member("type_vocab_size", shape.token_types) +
             member("vocab_size", size) + "}";
    const std::size_t hidden = shape.hidden;
    add("embeddings.word_embeddings.weight", {size, hidden}, dtype);
    add("embeddings.position_embeddings.weight", {shape.positions, hidden}, dtype);
    add("embeddings.token_type_embeddings.weight", {shape.token_types, hidden}, dtype);
    add_norm("embeddings.LayerNorm", dtype);
    for (std::size_t i = 0; i < shape.layers; ++i) {
      const std::string layer = "encoder.layer." + std::to_string(i) + ".";
      for (const char* part : {"query", "key", "value"}) {
        add_linear(layer + "attention.self." + part, hidden, hidden, dtype);
      }
      add_linear(layer + "attention.output.dense", hidden, hidden, dtype);
      add_norm(layer + "attention.output.LayerNorm", dtype);
      add_linear(layer + "intermediate.dense", shape.intermediate, hidden, dtype);
      add_linear(layer + "output.dense", hidden, shape.intermediate, dtype);
      add_norm(layer + "output.LayerNorm", dtype);
    }
  }

  TestTensor& tensor(const std::string& name) {
    for (TestTensor& t : tensors) {
      if (t.name == name) return t;
    }
    std::abort();
  }

  Result<std::shared_ptr<const EmbeddingModel>> load(const EngineOptions& options = {.precision = "fp32"}) const {
    const auto file = std::make_shared<Bytes>(safetensors_of(tensors));
    return EmbeddingModel::load(
        {.config = {.config = as_bytes(config), .pooling = as_bytes(pooling), .sentence_bert = as_bytes(sentence_bert)},
         .tokenizer = as_bytes(tokenizer),
         .weights = {.bytes = *file, .owner = file, .release = {}}},
        options);
  }

 private:
  void add(const std::string& name, const std::vector<std::size_t>& shape, const std::string& dtype,
           float mean = 0.0F) {
    // Wide matrices get smaller weights, as trained ones have.
    const bool wide = shape.size() == 2 && shape.back() > 64 && name.find("embeddings") == std::string::npos;
    std::normal_distribution<float> normal(mean, wide ? 0.05F : 0.25F);
    std::size_t n = 1;
    std::string text = "[";
    for (const std::size_t size : shape) {
      text += (n == 1 && text == "[" ? "" : ",") + std::to_string(size);
      n *= size;
    }
    Bytes bytes;
    for (std::size_t i = 0; i < n; ++i) {
      const float x = normal(engine_);
      std::uint32_t bits = 0;
      std::memcpy(&bits, &x, sizeof bits);
      if (dtype == "BF16") bits >>= 16;
      if (dtype == "F16") bits = half_of(x);
      const std::size_t size = dtype == "F32" ? 4 : 2;
      for (std::size_t b = 0; b < size; ++b) bytes.push_back(static_cast<std::uint8_t>(bits >> (8 * b)));
    }
    tensors.push_back({name, dtype, text + "]", std::move(bytes)});
  }
  void add_linear(const std::string& name, std::size_t out, std::size_t in, const std::string& dtype) {
    add(name + ".weight", {out, in}, dtype);
    add(name + ".bias", {out}, dtype);
  }
  void add_norm(const std::string& name, const std::string& dtype) {
    add(name + ".weight", {shape_.hidden}, dtype, 1.0F);
    add(name + ".bias", {shape_.hidden}, dtype);
  }

  TestShape shape_;
  std::mt19937 engine_;
};

// real_model_dir is where all-MiniLM-L6-v2 lies: EML_MODEL_DIR, else the user's cache. Nothing says that it is there.
inline std::string real_model_dir() {
  if (const char* dir = std::getenv("EML_MODEL_DIR"); dir != nullptr && *dir != '\0') return dir;
  return cache_directory() + "/models/all-minilm-l6-v2";
}

inline bool have_real_model() { return std::filesystem::exists(real_model_dir() + "/model.safetensors"); }

}  // namespace eml::test

// Loads the real model once a process, or skips the test.
#define EML_REAL_MODEL_OR_SKIP(name)                                                                               \
  if (!eml::test::have_real_model()) {                                                                             \
    GTEST_SKIP() << "the real model is not there: " << eml::test::real_model_dir();                                \
  }                                                                                                                \
  static const auto name##_loaded = eml::load_model_directory(eml::test::real_model_dir(), {.precision = "fp32"}); \
  ASSERT_TRUE(name##_loaded) << name##_loaded.error().to_string();                                                 \
  const eml::EmbeddingModel&(name) = **name##_loaded
