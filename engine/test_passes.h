// Passes for tests: texts in, a vector each out.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <thread>
#include <vector>

#include "engine/encoder.h"

namespace eml::test {

using Texts = std::vector<std::vector<TokenId>>;
using Vectors = std::vector<std::vector<float>>;

inline Vectors cut_vectors(const std::vector<float>& floats, std::size_t width) {
  Vectors out;
  for (auto at = floats.begin(); at != floats.end(); at += static_cast<std::ptrdiff_t>(width)) {
    out.emplace_back(at, at + static_cast<std::ptrdiff_t>(width));
  }
  return out;
}

// same_bits tells -0 from 0, and takes a NaN for itself.
inline bool same_bits(const Vectors& a, const Vectors& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.size() == y.size() && std::memcmp(x.data(), y.data(), x.size() * sizeof(float)) == 0;
  });
}

// embed_texts runs one pass on this thread.
inline Vectors embed_texts(const Encoder& encoder, const Texts& texts) {
  auto workspace = encoder.make_workspace();
  EXPECT_TRUE(workspace);
  const std::vector<TokenSpan> spans(texts.begin(), texts.end());
  std::vector<float> out(texts.size() * encoder.config().hidden);
  const Status done = encoder.embed(*workspace, spans, out);
  EXPECT_TRUE(done) << done.error().to_string();
  return cut_vectors(out, encoder.config().hidden);
}

// embed_by_crew runs one pass by a crew, each part on a thread of its own.
inline Vectors embed_by_crew(const Encoder& encoder, const Texts& texts, const Crew::Plan& plan) {
  const std::vector<TokenSpan> spans(texts.begin(), texts.end());
  std::vector<Workspace> workspaces;
  for (std::uint32_t i = 0; i < plan.parts; ++i) workspaces.push_back(std::move(*encoder.make_workspace()));
  std::vector<float> out(texts.size() * encoder.config().hidden);
  EXPECT_TRUE(encoder.check(workspaces[0], spans, out));
  Crew crew(workspaces[0], spans, out, plan);
  {
    std::vector<std::jthread> threads;
    for (std::uint32_t part = 1; part < plan.parts; ++part) {
      threads.emplace_back([&, part] { EXPECT_TRUE(encoder.embed_part(crew, part, workspaces[part])); });
    }
    EXPECT_TRUE(encoder.embed_part(crew, 0, workspaces[0]));
  }
  return cut_vectors(out, encoder.config().hidden);
}

}  // namespace eml::test
