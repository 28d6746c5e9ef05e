#include "engine/safetensors.h"

#include <gtest/gtest.h>

#include "encoding/json.h"
#include "engine/test_model.h"

namespace eml {
namespace {

using test::safetensors_file;

const std::string kGood =
    R"({"__metadata__":{"format":"pt"},"b":{"dtype":"F16","shape":[2],"data_offsets":[8,12]},)"
    R"("a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"empty":{"dtype":"I64","shape":[0],"data_offsets":[8,8]}}  )";

Bytes good() { return safetensors_file(kGood, Bytes(12, 1)); }

TEST(Safetensors, ReadsTensorsInTheOrderOfTheirOffsets) {
  const Bytes file = good();
  const auto decoded = Safetensors::decode(file);
  ASSERT_TRUE(decoded) << decoded.error().to_string();
  ASSERT_EQ(decoded->tensors().size(), 3U);
  EXPECT_EQ(decoded->tensors()[0].name, "a");
  EXPECT_EQ(decoded->tensors()[1].name, "empty");
  EXPECT_EQ(decoded->tensors()[2].name, "b");
  const Tensor* a = *decoded->find("a");
  EXPECT_EQ(a->type, TensorType::kF32);
  EXPECT_EQ(a->shape, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(a->elements(), 2U);
  EXPECT_EQ(a->offset, 8 + kGood.size());
  EXPECT_EQ(decoded->find("c").error().code(), kSafetensorsTensorMissing);
}

TEST(Safetensors, StaysValidWhenItIsMoved) {
  const Bytes file = good();
  Safetensors moved = *Safetensors::decode(file);
  EXPECT_EQ((*moved.find("b"))->name, "b");
}

TEST(Safetensors, RefusesAFileThatIsCutAnywhere) {
  const Bytes file = good();
  for (std::size_t n = 0; n < file.size(); ++n) {
    EXPECT_FALSE(Safetensors::decode(ByteView(file).first(n))) << n;
  }
}

struct Bad {
  const char* defect;
  std::string header;
  ErrorCode code;
};

std::string one(const std::string& tensor) { return "{\"a\":" + tensor + "}"; }

TEST(Safetensors, RefusesEachDefectByItsName) {
  const std::vector<Bad> cases = {
      {"no object", "[]", kSafetensorsHeader},
      {"leading space", " {}", kSafetensorsHeader},
      {"broken JSON", "{", kJsonSyntax},
      {"nested too deeply", one(R"({"dtype":"F32","shape":[[[1]]],"data_offsets":[0,12]})"), kJsonTooDeep},
      {"a name twice",
       R"({"a":{"dtype":"U8","shape":[12],"data_offsets":[0,12]},"a":{"dtype":"U8","shape":[12],"data_offsets":[0,12]}})",
       kJsonDuplicateName},
      {"metadata that is not text", R"({"__metadata__":{"a":1}})", kSafetensorsHeader},
      {"no tensor object", one("3"), kSafetensorsHeader},
      {"unknown member", one(R"({"dtype":"U8","shape":[12],"data_offsets":[0,12],"x":1})"), kSafetensorsHeader},
      {"no dtype", one(R"({"type":"U8","shape":[12],"data_offsets":[0,12]})"), kSafetensorsHeader},
      {"unknown dtype", one(R"({"dtype":"F4","shape":[12],"data_offsets":[0,12]})"), kSafetensorsType},
      {"shape that is no array", one(R"({"dtype":"U8","shape":12,"data_offsets":[0,12]})"), kSafetensorsHeader},
      {"negative size", one(R"({"dtype":"U8","shape":[-12],"data_offsets":[0,12]})"), kSafetensorsShape},
      {"fractional size", one(R"({"dtype":"U8","shape":[12.5],"data_offsets":[0,12]})"), kSafetensorsShape},
      {"too many dimensions", one(R"({"dtype":"U8","shape":[1,1,1,1,1,1,1,1,12],"data_offsets":[0,12]})"),
       kSafetensorsShape},
      {"shape that overflows",
       one(R"({"dtype":"F32","shape":[9007199254740991,9007199254740991],"data_offsets":[0,12]})"), kSafetensorsShape},
      {"shape of other bytes", one(R"({"dtype":"F32","shape":[4],"data_offsets":[0,12]})"), kSafetensorsShape},
      {"descending offsets", one(R"({"dtype":"U8","shape":[12],"data_offsets":[12,0]})"), kSafetensorsOffsets},
      {"one offset", one(R"({"dtype":"U8","shape":[12],"data_offsets":[12]})"), kSafetensorsHeader},
      {"outside the file", one(R"({"dtype":"U8","shape":[13],"data_offsets":[0,13]})"), kSafetensorsOffsets},
      {"huge offset", one(R"({"dtype":"U8","shape":[12],"data_offsets":[9007199254740979,9007199254740991]})"),
       kSafetensorsOffsets},
      {"hole at the start", one(R"({"dtype":"U8","shape":[8],"data_offsets":[4,12]})"), kSafetensorsOffsets},
      {"bytes at the end", one(R"({"dtype":"U8","shape":[8],"data_offsets":[0,8]})"), kSafetensorsOffsets},
      {"overlap",
       R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[5],"data_offsets":[7,12]}})",
       kSafetensorsOffsets},
      {"no tensor at all", "{}", kSafetensorsOffsets},
  };
  for (const Bad& bad : cases) {
    const Bytes file = safetensors_file(bad.header, Bytes(12));
    const auto decoded = Safetensors::decode(file);
    ASSERT_FALSE(decoded) << bad.defect;
    EXPECT_EQ(decoded.error().code(), bad.code) << bad.defect << ": " << decoded.error().to_string();
  }
}

TEST(Safetensors, RefusesAHeaderOf2To63Bytes) {
  Bytes file = good();
  file[7] = 0x80;
  EXPECT_EQ(Safetensors::decode(file).error().code(), kSafetensorsHeaderSize);
}

TEST(Safetensors, ReadsTheRealModel) {
  if (!test::have_real_model()) GTEST_SKIP() << "the real model is not there: " << test::real_model_dir();
  const auto file = MappedFile::open(test::real_model_dir() + "/model.safetensors", 1U << 30);
  ASSERT_TRUE(file);
  const auto decoded = Safetensors::decode(file->bytes());
  ASSERT_TRUE(decoded) << decoded.error().to_string();
  EXPECT_EQ(decoded->tensors().size(), 104U);
  EXPECT_EQ(decoded->tensors()[0].name, "embeddings.position_ids");
  EXPECT_EQ((*decoded->find("pooler.dense.weight"))->shape, (std::vector<std::uint64_t>{384, 384}));
}

}  // namespace
}  // namespace eml
