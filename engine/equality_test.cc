// The same bits: every instruction set of this machine, 1, 2 and 4 threads, a text alone and at each place of a batch,
// against the scalar definition, in every numerics profile. EML_SHAPES is the number of random models (2,000 in
// CONTRIBUTING.md's command); when it is set, all reference texts are compared too, and not some.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>

#include "engine/test_passes.h"
#include "engine/test_references.h"

namespace eml {
namespace {

using test::Texts;
using test::Vectors;

#if defined(EML_SANITIZED)
constexpr std::size_t kShapes = 2;  // checked code is ten times slower, and the definition is slow on purpose
constexpr std::size_t kReferenceTokens = 20;
#else
constexpr std::size_t kShapes = 8;
constexpr std::size_t kReferenceTokens = 60;
#endif

// NOLINTNEXTLINE(concurrency-mt-unsafe): nothing changes the environment meanwhile
const char* shapes_asked() { return std::getenv("EML_SHAPES"); }

class Numbers {
 public:
  explicit Numbers(std::uint32_t seed) : engine_(seed) {}
  std::size_t pick(std::size_t least, std::size_t most) {
    return std::uniform_int_distribution<std::size_t>(least, most)(engine_);
  }
  template <typename T>
  T one_of(std::initializer_list<T> choices) {
    return choices.begin()[pick(0, choices.size() - 1)];
  }

 private:
  std::mt19937 engine_;
};

struct RandomModel {
  test::TestModel files;
  Texts texts;
};

RandomModel random_model(std::uint32_t seed) {
  Numbers numbers(seed);
  const bool large = numbers.pick(1, 20) == 1;  // feed-forward layers over one range, long texts
  const std::size_t heads = numbers.pick(1, large ? 4 : 3);
  const test::TestShape shape{.hidden = heads * 32 * numbers.pick(1, large ? 3 : 2),
                              .heads = heads,
                              .intermediate = 32 * numbers.pick(1, large ? 26 : 8),
                              .layers = numbers.pick(1, 2),
                              .positions = large ? 256U : 64U,
                              .token_types = numbers.pick(1, 2)};
  RandomModel out{.files = test::TestModel(numbers.one_of({"F32", "F16", "BF16"}), shape, seed), .texts = {}};
  if (numbers.pick(0, 1) == 1) {
    out.files.pooling = R"({"pooling_mode_cls_token":true,"pooling_mode_mean_tokens":false})";
  }
  out.texts.resize(numbers.pick(1, 6));
  for (auto& text : out.texts) {
    text.resize(numbers.pick(1, large ? 40 : 24));
    for (TokenId& id : text) id = static_cast<TokenId>(numbers.pick(0, 60));
  }
  if (large) out.texts.front().resize(numbers.pick(41, 150), 5);
  return out;
}

// `model` gives `want`: each text alone, and the batch by crews of 1, 2 and 4 that cut either way, turned until each
// text was at each place.
void expect_everywhere(const EmbeddingModel& model, Texts texts, Vectors want, const std::string& what) {
  for (std::size_t i = 0; i < texts.size(); ++i) {
    ASSERT_TRUE(test::same_bits({want[i]}, test::embed_texts(model.encoder(), {texts[i]})))
        << what << ", text " << i << " alone";
  }
  for (std::size_t turn = 0; turn < texts.size(); ++turn) {
    for (const std::uint32_t threads : {1U, 2U, 4U}) {
      for (const auto cut : {Crew::Cut::kRows, Crew::Cut::kColumns}) {
        ASSERT_TRUE(test::same_bits(want, test::embed_by_crew(model.encoder(), texts, {threads, cut})))
            << what << ", turned by " << turn << ", " << threads << " threads, cut " << static_cast<int>(cut);
      }
    }
    std::rotate(texts.begin(), texts.begin() + 1, texts.end());
    std::rotate(want.begin(), want.begin() + 1, want.end());
  }
}

TEST(Equality, RandomModelsOnEveryInstructionSetByAnyNumberOfThreadsAtEveryPlaceOfABatch) {
  const std::size_t shapes = shapes_asked() == nullptr ? kShapes : std::strtoull(shapes_asked(), nullptr, 10);
  ASSERT_GT(shapes, 0U);
  for (std::uint32_t seed = 1; seed <= shapes; ++seed) {
    const RandomModel random = random_model(seed);
    for (const std::string_view precision : kernels::numerics_profiles()) {
      const auto definition = random.files.load({.precision = precision, .kernels = "scalar"});
      ASSERT_TRUE(definition) << seed << ' ' << definition.error().to_string();
      Vectors want;
      for (const auto& text : random.texts) want.push_back(test::embed_texts((*definition)->encoder(), {text})[0]);
      for (const kernels::Profile& profile : kernels::profiles(precision)) {
        const auto model = random.files.load({.precision = precision, .kernels = profile.kernels});
        ASSERT_TRUE(model) << seed << ' ' << model.error().to_string();
        expect_everywhere(
            **model, random.texts, want,
            "model " + std::to_string(seed) + ' ' + std::string(precision) + ' ' + std::string(profile.kernels));
        if (HasFatalFailure()) return;
      }
    }
  }
}

// Some texts, short ones if there is no room for all; in batches of what a pass takes.
std::vector<Texts> reference_batches(std::size_t tokens_max) {
  std::vector<Texts> out(1);
  std::size_t spent = 0;
  std::size_t pass = 0;
  for (const test::Reference& reference : test::references()) {
    const std::size_t size = reference.ids.size();
    if (spent + size > tokens_max) continue;
    spent += size;
    if (pass + size > Encoder::kTokensPerPass) {
      out.emplace_back();
      pass = 0;
    }
    pass += size;
    out.back().push_back(reference.ids);
  }
  return out;
}

TEST(Equality, ReferenceTextsOnEveryInstructionSetByAnyNumberOfThreadsAloneAndInBatches) {
  const auto batches = reference_batches(shapes_asked() == nullptr ? kReferenceTokens : SIZE_MAX);
  if (batches.front().empty()) GTEST_SKIP() << "no shared vectors: vectors/minilm";
  if (!test::have_real_model()) GTEST_SKIP() << "the real model is not there: " << test::real_model_dir();
  for (const std::string_view precision : kernels::numerics_profiles()) {
    const auto load = [&](std::string_view kernels) {
      return load_model_directory(test::real_model_dir(), {.precision = precision, .kernels = kernels});
    };
    std::vector<Vectors> want;
    {
      const auto definition = load("scalar");
      ASSERT_TRUE(definition);
      for (const Texts& texts : batches) want.push_back(test::embed_texts((*definition)->encoder(), texts));
    }
    for (const kernels::Profile& profile : kernels::profiles(precision)) {
      if (profile.kernels == "scalar") continue;
      const auto model = load(profile.kernels);
      ASSERT_TRUE(model);
      for (std::size_t i = 0; i < batches.size(); ++i) {
        expect_everywhere(**model, batches[i], want[i], std::string(precision) + ' ' + std::string(profile.kernels));
        if (HasFatalFailure()) return;
      }
    }
  }
}

}  // namespace
}  // namespace eml
