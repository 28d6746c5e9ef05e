#include "engine/encoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <random>
#include <thread>

#include "engine/test_model.h"
#include "engine/test_passes.h"
#include "engine/test_references.h"

namespace eml {
namespace {

using test::TestModel;
using test::Texts;
using test::Vectors;

void expect_same_bits(const std::vector<float>& a, const std::vector<float>& b, const std::string& what) {
  ASSERT_EQ(a.size(), b.size());
  EXPECT_EQ(0, std::memcmp(a.data(), b.data(), a.size() * sizeof(float))) << what;
}

Texts random_texts(std::size_t count, std::size_t longest, std::uint32_t vocab, unsigned seed) {
  std::mt19937 engine(seed);
  Texts out(count);
  for (auto& text : out) {
    text.resize(1 + engine() % longest);
    for (TokenId& id : text) id = static_cast<TokenId>(engine() % vocab);
  }
  return out;
}

double norm(const std::vector<float>& v) {
  double sum = 0;
  for (const float x : v) sum += static_cast<double>(x) * static_cast<double>(x);
  return std::sqrt(sum);
}

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum / norm(a) / norm(b);
}

TEST(Encoder, GivesUnitVectors) {
  const auto model = TestModel().load();
  ASSERT_TRUE(model) << model.error().to_string();
  for (const auto& v : test::embed_texts((*model)->encoder(), random_texts(5, 20, 60, 1)))
    EXPECT_NEAR(norm(v), 1.0, 1e-6);
}

TEST(Encoder, ATextHasTheSameBitsAtEveryPlaceOfABatchInEveryProfile) {
  for (const std::string_view precision : kernels::numerics_profiles()) {
    const auto model = TestModel().load({.precision = precision});
    ASSERT_TRUE(model);
    EXPECT_EQ((*model)->numerics(), precision);
    const Encoder& encoder = (*model)->encoder();
    Texts texts = random_texts(9, 25, 60, 2);
    Vectors alone;
    for (const auto& text : texts) alone.push_back(test::embed_texts(encoder, {text})[0]);
    for (std::size_t turn = 0; turn < texts.size(); ++turn) {
      const Vectors together = test::embed_texts(encoder, texts);
      for (std::size_t i = 0; i < texts.size(); ++i) expect_same_bits(alone[i], together[i], std::string(precision));
      std::rotate(texts.begin(), texts.begin() + 1, texts.end());
      std::rotate(alone.begin(), alone.begin() + 1, alone.end());
    }
  }
}

TEST(Encoder, EveryInstructionSetGivesTheSameBitsInEveryProfile) {
  const Texts texts = random_texts(12, 20, 60, 3);
  for (const std::string_view precision : kernels::numerics_profiles()) {
    const auto definition = TestModel().load({.precision = precision, .kernels = "scalar"});
    ASSERT_TRUE(definition);
    const Vectors want = test::embed_texts((*definition)->encoder(), texts);
    for (const kernels::Profile& profile : kernels::profiles(precision)) {
      const auto model = TestModel().load({.precision = precision, .kernels = profile.kernels});
      ASSERT_TRUE(model) << profile.kernels;
      EXPECT_EQ((*model)->kernels(), profile.kernels);
      const Vectors got = test::embed_texts((*model)->encoder(), texts);
      for (std::size_t i = 0; i < texts.size(); ++i) expect_same_bits(want[i], got[i], std::string(profile.kernels));
    }
  }
}

TEST(Encoder, ProfilesDifferAndAreNear) {
  const Texts texts = random_texts(6, 20, 60, 4);
  const Vectors want = test::embed_texts((*TestModel().load({.precision = "fp32"}))->encoder(), texts);
  for (const std::string_view precision : {"bf16", "int8"}) {
    const Vectors got = test::embed_texts((*TestModel().load({.precision = precision}))->encoder(), texts);
    EXPECT_NE(want, got);
    for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_GT(cosine(want[i], got[i]), 0.99) << precision;
  }
}

TEST(Encoder, SharesAModelBetweenThreadsInEveryProfile) {
  const Texts texts = random_texts(6, 20, 60, 11);
  for (const std::string_view precision : kernels::numerics_profiles()) {
    const auto model = TestModel().load({.precision = precision});
    ASSERT_TRUE(model);
    const Vectors want = test::embed_texts((*model)->encoder(), texts);
    for (const std::size_t count : {2U, 4U}) {
      std::vector<Vectors> got(count);
      {
        std::vector<std::jthread> threads;
        for (Vectors& vectors : got)
          threads.emplace_back([&] { vectors = test::embed_texts((*model)->encoder(), texts); });
      }
      for (const Vectors& vectors : got) EXPECT_EQ(want, vectors) << precision;
    }
  }
}

TEST(EncoderLoad, RefusesAWeightThatBf16WouldRoundToInfinity) {
  TestModel files;
  auto& bytes = files.tensor("encoder.layer.0.output.dense.weight").bytes;
  const std::uint32_t largest = 0x7f7fffffU;
  std::memcpy(bytes.data(), &largest, sizeof largest);
  EXPECT_EQ(files.load({.precision = "bf16"}).error().code(), kWeightsNotFinite);
}

TEST(Encoder, MeanAndClsPoolingDiffer) {
  TestModel files;
  files.pooling = R"({"pooling_mode_cls_token":true,"pooling_mode_mean_tokens":false})";
  const auto cls = files.load();
  const auto mean = TestModel().load();
  ASSERT_TRUE(cls);
  ASSERT_TRUE(mean);
  EXPECT_NE(test::embed_texts((*cls)->encoder(), {{2, 4, 3}}), test::embed_texts((*mean)->encoder(), {{2, 4, 3}}));
  EXPECT_EQ(test::embed_texts((*cls)->encoder(), {{2}}), test::embed_texts((*mean)->encoder(), {{2}}));
}

TEST(Encoder, ReadsSixteenBitWeights) {
  // The float weights rounded down to bfloat16, once stored as such and once as floats, are the same model.
  const TestModel narrow("BF16");
  TestModel wide;
  for (std::size_t i = 0; i < wide.tensors.size(); ++i) {
    Bytes& bytes = wide.tensors[i].bytes;
    for (std::size_t b = 0; b < bytes.size(); b += 4) bytes[b] = bytes[b + 1] = 0;
  }
  const auto a = narrow.load();
  const auto b = wide.load();
  ASSERT_TRUE(a) << a.error().to_string();
  ASSERT_TRUE(b);
  EXPECT_EQ(test::embed_texts((*a)->encoder(), {{2, 4, 5, 3}}), test::embed_texts((*b)->encoder(), {{2, 4, 5, 3}}));
}

TEST(Encoder, ReadsHalfPrecision) {
  TestModel files;
  auto& tensor = files.tensor("embeddings.LayerNorm.bias");
  auto& same = files.tensors;
  for (auto& t : same) {
    if (t.name != tensor.name) continue;
    t.dtype = "F16";
    t.bytes.clear();
    // 1, -2, 2^-24 (the smallest denormal), 0, and so on.
    for (std::size_t i = 0; i < TestModel::kHidden; ++i) {
      const std::uint16_t half = std::array<std::uint16_t, 4>{0x3c00, 0xc000, 0x0001, 0x0000}[i % 4];
      t.bytes.push_back(static_cast<std::uint8_t>(half));
      t.bytes.push_back(static_cast<std::uint8_t>(half >> 8));
    }
  }
  TestModel wide;
  auto& floats = wide.tensor("embeddings.LayerNorm.bias").bytes;
  for (std::size_t i = 0; i < TestModel::kHidden; ++i) {
    const float x = std::array<float, 4>{1.0F, -2.0F, 0x1p-24F, 0.0F}[i % 4];
    std::memcpy(&floats[4 * i], &x, sizeof x);
  }
  const auto a = files.load();
  const auto b = wide.load();
  ASSERT_TRUE(a) << a.error().to_string();
  ASSERT_TRUE(b);
  EXPECT_EQ(test::embed_texts((*a)->encoder(), {{2, 4, 3}}), test::embed_texts((*b)->encoder(), {{2, 4, 3}}));
}

TEST(Encoder, PositionIdsAndThePoolerAreIgnored) {
  TestModel files;
  files.tensors.push_back({"embeddings.position_ids", "I64", "[1,64]", Bytes(512)});
  files.tensors.push_back({"pooler.dense.weight", "F32", "[1]", Bytes(4)});
  const auto with = files.load();
  ASSERT_TRUE(with) << with.error().to_string();
  EXPECT_EQ(test::embed_texts((*with)->encoder(), {{2, 3}}),
            test::embed_texts((*TestModel().load())->encoder(), {{2, 3}}));
}

TEST(Encoder, NamesMayHaveThePrefixBert) {
  TestModel files;
  for (auto& tensor : files.tensors) tensor.name = "bert." + tensor.name;
  EXPECT_TRUE(files.load());
}

TEST(EncoderLoad, RefusesEachDefectByItsName) {
  struct Bad {
    const char* defect;
    void (*spoil)(TestModel&);
    ErrorCode code;
  };
  static constexpr const char* kBias = "encoder.layer.1.output.dense.bias";
  const auto spoil_value = [](TestModel& m, const char* name, std::uint32_t bits) {
    auto& bytes = m.tensor(name).bytes;
    std::memcpy(bytes.data() + bytes.size() - 4, &bits, 4);
  };
  static const auto put = spoil_value;
  const std::vector<Bad> cases = {
      {"a tensor missing", [](TestModel& m) { m.tensor(kBias).name = "other"; }, kSafetensorsTensorMissing},
      {"a tensor too many", [](TestModel& m) { m.tensors.push_back({"x", "F32", "[1]", Bytes(4)}); }, kWeightsExtra},
      {"another shape", [](TestModel& m) { m.tensor(kBias).shape = "[4,8]"; }, kWeightsShape},
      {"another type", [](TestModel& m) { m.tensor(kBias).dtype = "I32"; }, kWeightsType},
      {"NaN in a bias", [](TestModel& m) { put(m, kBias, 0x7fc00000U); }, kWeightsNotFinite},
      {"infinity in a matrix", [](TestModel& m) { put(m, "encoder.layer.0.intermediate.dense.weight", 0xff800000U); },
       kWeightsNotFinite},
      {"NaN in a norm", [](TestModel& m) { put(m, "embeddings.LayerNorm.weight", 0x7f800001U); }, kWeightsNotFinite},
      {"NaN in the words", [](TestModel& m) { put(m, "embeddings.word_embeddings.weight", 0x7fc00000U); },
       kWeightsNotFinite},
      {"NaN in the positions", [](TestModel& m) { put(m, "embeddings.position_embeddings.weight", 0x7fc00000U); },
       kWeightsNotFinite},
      {"NaN in the type that no text has",
       [](TestModel& m) { put(m, "embeddings.token_type_embeddings.weight", 0x7fc00000U); }, kWeightsNotFinite},
      {"NaN in the positions behind the longest text",
       [](TestModel& m) {
         m.sentence_bert = R"({"max_seq_length":32})";
         put(m, "embeddings.position_embeddings.weight", 0x7fc00000U);
       },
       kWeightsNotFinite},
      {"NaN in the pooler",
       [](TestModel& m) {
         m.tensors.push_back({"pooler.dense.weight", "F32", "[40]", Bytes(160)});
         put(m, "pooler.dense.weight", 0x7fc00000U);
       },
       kWeightsNotFinite},
      {"infinity in a pooler of 16 bits",
       [](TestModel& m) { m.tensors.push_back({"pooler.dense.bias", "BF16", "[2]", {0, 0, 0x80, 0x7f}}); },
       kWeightsNotFinite},
      {"another vocabulary",
       [](TestModel& m) { m.config.replace(m.config.rfind("vocab_size\":"), 14, "vocab_size\":9"); }, kModelMismatch},
      {"an embedding that overflows",
       [](TestModel& m) {
         put(m, "encoder.layer.1.output.LayerNorm.weight", 0x7f7fffffU);
         put(m, "encoder.layer.1.output.LayerNorm.bias", 0x7f7fffffU);
       },
       kEmbeddingNotFinite},
  };
  for (const Bad& bad : cases) {
    TestModel files;
    bad.spoil(files);
    const auto model = files.load();
    ASSERT_FALSE(model) << bad.defect;
    EXPECT_EQ(model.error().code(), bad.code) << bad.defect << ": " << model.error().to_string();
  }
}

TEST(EncoderLoad, RefusesAPrecisionOrKernelsThatAreNotThere) {
  for (const char* precision : {"int4", "FP32"}) {
    EXPECT_EQ(TestModel().load({.precision = precision}).error().code(), kPrecisionUnknown) << precision;
  }
  EXPECT_EQ(TestModel().load({.kernels = "neon"}).error().code(), kKernelsUnavailable);
}

TEST(EncoderLoad, ReleasesAllButTheWordEmbeddings) {
  const TestModel files;
  const auto file = std::make_shared<Bytes>(test::safetensors_of(files.tensors));
  const auto header = Safetensors::decode(*file);
  ASSERT_TRUE(header);
  const Tensor* words = *header->find("embeddings.word_embeddings.weight");
  const auto released = std::make_shared<std::vector<bool>>(file->size());
  const auto model = EmbeddingModel::load(
      {.config = {.config = as_bytes(files.config)},
       .tokenizer = as_bytes(files.tokenizer),
       .weights = {.bytes = *file, .owner = file, .release = [released](std::size_t at, std::size_t size) {
                     std::fill_n(released->begin() + static_cast<std::ptrdiff_t>(at), size, true);
                   }}});
  ASSERT_TRUE(model);
  for (std::size_t i = 0; i < file->size(); ++i) {
    const bool is_word = i >= words->offset && i < words->offset + words->bytes.size();
    ASSERT_NE((*released)[i], is_word) << i;
  }
}

TEST(EncoderPass, RefusesWhatItCannotRun) {
  const auto model = TestModel().load();
  ASSERT_TRUE(model);
  const Encoder& encoder = (*model)->encoder();
  auto workspace = encoder.make_workspace();
  ASSERT_TRUE(workspace);
  std::vector<float> out(TestModel::kHidden);
  const auto run = [&](const std::vector<TokenId>& text) {
    const TokenSpan span(text);
    return encoder.embed(*workspace, {&span, 1}, out).error().code();
  };
  EXPECT_EQ(run({}), kSequenceLength);
  EXPECT_EQ(run(std::vector<TokenId>(65, 2)), kSequenceLength);
  EXPECT_EQ(run({2, 100000, 3}), kTokenOutOfRange);
  const std::vector<TokenId> text(64, 2);
  const std::vector<TokenSpan> many(5, TokenSpan(text));
  EXPECT_EQ(encoder.embed(*workspace, many, out).error().code(), kBatchTooLarge);
}

TEST(EncoderPass, CountsWhatItWipedOfEachTextWhateverElseIsInThePass) {
  const auto model = TestModel().load();
  ASSERT_TRUE(model);
  const Encoder& encoder = (*model)->encoder();
  auto workspace = encoder.make_workspace();
  ASSERT_TRUE(workspace);
  const auto wiped = [&](const std::vector<std::size_t>& sizes) {
    std::vector<std::vector<TokenId>> texts;
    for (const std::size_t size : sizes) texts.emplace_back(size, TokenId{2});
    const std::vector<TokenSpan> spans(texts.begin(), texts.end());
    std::vector<float> out(spans.size() * TestModel::kHidden);
    EXPECT_TRUE(encoder.embed(*workspace, spans, out));
    return std::vector<std::size_t>(workspace->wiped().begin(), workspace->wiped().end());
  };
  const std::size_t row = wiped({1}).at(0);
  // The residual stream, its successor, and q, k and v beside each other.
  EXPECT_GE(row, 5 * TestModel::kHidden * sizeof(float));
  EXPECT_EQ(wiped({7}), std::vector<std::size_t>({7 * row}));
  EXPECT_EQ(wiped({3, 7, 1}), std::vector<std::size_t>({3 * row, 7 * row, row}));
  EXPECT_EQ(wiped({60, 7}), std::vector<std::size_t>({60 * row, 7 * row}));
}

TEST(EncoderPass, WhatWasRefusedWipedNothing) {
  const auto model = TestModel().load();
  ASSERT_TRUE(model);
  auto workspace = (*model)->encoder().make_workspace();
  ASSERT_TRUE(workspace);
  std::vector<float> out(TestModel::kHidden);
  std::vector<TokenId> text{2, 3};
  const TokenSpan span(text);
  ASSERT_TRUE((*model)->encoder().embed(*workspace, {&span, 1}, out));
  EXPECT_EQ(workspace->wiped().size(), 1U);
  text[1] = 100000;
  ASSERT_FALSE((*model)->encoder().embed(*workspace, {&span, 1}, out));
  EXPECT_TRUE(workspace->wiped().empty());
}

#if defined(EML_SANITIZED)
constexpr std::size_t kTokenBudget = 600;  // checked code is ten times slower
#else
constexpr std::size_t kTokenBudget = 20000;
#endif

TEST(RealModel, IsWithinATenMillionthOfFloat64AndTheSameInEveryBatch) {
  const auto wanted = test::references();
  if (wanted.empty()) GTEST_SKIP() << "no shared vectors: vectors/minilm";
  EML_REAL_MODEL_OR_SKIP(model);
  Vectors alone;
  for (const test::Reference& reference : wanted) {
    alone.push_back(test::embed_texts(model.encoder(), {reference.ids})[0]);
    for (std::size_t i = 0; i < 384; ++i) {
      // The contract is 1e-5; that this profile reaches is 3e-7, and a regression to anything else would be a defect.
      ASSERT_NEAR(static_cast<double>(alone.back()[i]), reference.embedding[i], 1e-6);
    }
  }
  std::mt19937 engine(5);
  for (std::size_t spent = 0; spent < kTokenBudget;) {
    Texts texts;
    std::vector<std::size_t> which;
    std::size_t tokens = 0;
    while (true) {
      const std::size_t i = engine() % wanted.size();
      if (tokens + wanted[i].ids.size() > Encoder::kTokensPerPass) break;
      tokens += wanted[i].ids.size();
      texts.push_back(wanted[i].ids);
      which.push_back(i);
    }
    spent += tokens + 1;
    const Vectors together = test::embed_texts(model.encoder(), texts);
    for (std::size_t i = 0; i < which.size(); ++i) expect_same_bits(alone[which[i]], together[i], "batch");
  }
}

TEST(RealModel, GivesTheSameBitsOnEveryInstructionSetInEveryProfile) {
  const auto wanted = test::references();
  if (wanted.empty()) GTEST_SKIP() << "no shared vectors: vectors/minilm";
  if (!test::have_real_model()) GTEST_SKIP() << "the real model is not there";
  for (const std::string_view precision : kernels::numerics_profiles()) {
    const auto best = load_model_directory(test::real_model_dir(), {.precision = precision});
    ASSERT_TRUE(best) << precision;
    for (const kernels::Profile& profile : kernels::profiles(precision)) {
      if (profile.kernels == (*best)->kernels()) continue;
      const auto other =
          load_model_directory(test::real_model_dir(), {.precision = precision, .kernels = profile.kernels});
      ASSERT_TRUE(other) << profile.kernels;
      std::size_t tokens = 0;
      for (const test::Reference& reference : wanted) {
        // The definition is slow on purpose: short texts for it, all texts for the others.
        const std::size_t budget = profile.kernels == "scalar" ? kTokenBudget / 100 : kTokenBudget;
        if (tokens + reference.ids.size() > budget) continue;
        tokens += reference.ids.size();
        expect_same_bits(test::embed_texts((*best)->encoder(), {reference.ids})[0],
                         test::embed_texts((*other)->encoder(), {reference.ids})[0],
                         std::string(precision) + " " + std::string(profile.kernels));
      }
    }
  }
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

struct Accuracy {
  const char* precision;
  double cosine;      // at least, of every text
  double similarity;  // at most this far from float64's, of every pair
};

TEST(RealModel, NarrowProfilesAreAsNearToFloat64AsTheyPromise) {
  const auto wanted = test::references();
  if (wanted.empty()) GTEST_SKIP() << "no shared vectors: vectors/minilm";
  if (!test::have_real_model()) GTEST_SKIP() << "the real model is not there";
  for (const Accuracy& promise : {Accuracy{"bf16", 0.9999, 0.005}, Accuracy{"int8", 0.998, 0.02}}) {
    const auto model = load_model_directory(test::real_model_dir(), {.precision = promise.precision});
    ASSERT_TRUE(model) << model.error().to_string();
    std::vector<std::vector<double>> got;
    std::vector<const test::Reference*> compared;
    std::size_t tokens = 0;
    for (const test::Reference& reference : wanted) {
      if (tokens + reference.ids.size() > kTokenBudget) continue;
      tokens += reference.ids.size();
      const auto v = test::embed_texts((*model)->encoder(), {reference.ids})[0];
      got.emplace_back(v.begin(), v.end());
      compared.push_back(&reference);
      EXPECT_GT(dot(got.back(), reference.embedding), promise.cosine) << promise.precision;
    }
    for (std::size_t i = 0; i < got.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        ASSERT_NEAR(dot(got[i], got[j]), dot(compared[i]->embedding, compared[j]->embedding), promise.similarity)
            << promise.precision;
      }
    }
  }
}

TEST(RealModel, IsSharedBetweenThreads) {
  EML_REAL_MODEL_OR_SKIP(model);
  const Texts texts = random_texts(6, 20, 30000, 11);
  const Vectors want = test::embed_texts(model.encoder(), texts);
  std::vector<Vectors> got(4);
  {
    std::vector<std::jthread> threads;
    threads.reserve(got.size());
    for (Vectors& vectors : got) threads.emplace_back([&] { vectors = test::embed_texts(model.encoder(), texts); });
  }
  for (const Vectors& vectors : got) EXPECT_EQ(want, vectors);
}

void expect_crews_give_the_same_bits(const EmbeddingModel& model, const Texts& texts) {
  const Vectors want = test::embed_texts(model.encoder(), texts);
  for (const std::uint32_t parts : {1U, 2U, 3U, 4U}) {
    for (const auto cut : {Crew::Cut::kRows, Crew::Cut::kColumns}) {
      EXPECT_TRUE(test::same_bits(want, test::embed_by_crew(model.encoder(), texts, {.parts = parts, .cut = cut})))
          << model.numerics() << ' ' << model.kernels() << ' ' << parts << " parts, cut " << static_cast<int>(cut);
    }
  }
}

TEST(Crew, AnyNumberOfPartsGivesTheSameBits) {
  for (const std::string_view precision : kernels::numerics_profiles()) {
    for (const kernels::Profile& profile : kernels::profiles(precision)) {
      const auto model = test::TestModel().load({.precision = precision, .kernels = profile.kernels});
      ASSERT_TRUE(model);
      // Also fewer rows and fewer heads than parts.
      expect_crews_give_the_same_bits(**model, {{2, 5, 3}});
      expect_crews_give_the_same_bits(**model, {{2, 5, 6, 7, 8, 9, 10, 3}, {2, 3}, {2, 11, 12, 13, 14, 3}});
    }
  }
}

TEST(Crew, AnyNumberOfPartsGivesTheSameBitsWithTheRealModel) {
  EML_REAL_MODEL_OR_SKIP(model);
  std::vector<TokenId> text(67, 2003);
  for (std::size_t i = 0; i < text.size(); ++i) text[i] += static_cast<TokenId>(i * 31);
  expect_crews_give_the_same_bits(model, {text, {101, 7592, 102}});
}

TEST(Crew, APassIsCutIntoPartsOfSixteenRowsOrMoreAndAShorterOneByColumns) {
  const auto expect = [](std::size_t tokens, std::size_t threads, const Crew::Plan& want) {
    const Crew::Plan plan = Crew::plan(tokens, threads);
    EXPECT_EQ(plan.parts, want.parts) << tokens;
    EXPECT_EQ(plan.cut, want.cut) << tokens;
  };
  expect(1, 2, {.parts = 2, .cut = Crew::Cut::kColumns});
  expect(31, 8, {.parts = 4, .cut = Crew::Cut::kColumns});
  expect(31, 1, {.parts = 1, .cut = Crew::Cut::kRows});
  expect(32, 8, {.parts = 2, .cut = Crew::Cut::kRows});
  expect(256, 8, {.parts = 8, .cut = Crew::Cut::kRows});
  expect(256, 1, {.parts = 1, .cut = Crew::Cut::kRows});
  expect(256, 0, {.parts = 1, .cut = Crew::Cut::kRows});
}

}  // namespace
}  // namespace eml
