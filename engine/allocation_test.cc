// The request path allocates nothing: operator new is counted for the thread that asks for it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "engine/test_model.h"

namespace {

thread_local bool counting = false;
thread_local std::size_t allocations = 0;

void* allocate(std::size_t size, std::size_t alignment) {
  if (counting) ++allocations;
  const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
  if (void* data = std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded)) return data;
  throw std::bad_alloc();
}

}  // namespace

// All forms that the standard library does not derive from these.
void* operator new(std::size_t size) { return allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* data) noexcept { std::free(data); }
void operator delete(void* data, std::size_t) noexcept { std::free(data); }
void operator delete(void* data, std::align_val_t) noexcept { std::free(data); }
void operator delete(void* data, std::size_t, std::align_val_t) noexcept { std::free(data); }

namespace eml {
namespace {

template <typename Work>
std::size_t allocations_of(Work work) {
  allocations = 0;
  counting = true;
  work();
  counting = false;
  return allocations;
}

const std::vector<std::string> kTexts = {
    "hello world, testing the words of a text",
    "H\xc3\xa9llo [SEP] W\xc3\xb6rld \xe4\xb8\x80\xe4\xb8\x81 e\xcc\x81\xcc\x96",
    std::string(5000, 'a'),
    "",
    [] {
      std::string marks;
      for (int i = 0; i < 3000; ++i) marks += "\xe3\x80\xae\xcc\x81";
      return marks;
    }(),
};

TEST(Allocation, TheCounterCounts) {
  const auto allocate_once = [] {
    int* volatile seen = new int(1);  // else the optimiser leaves both out
    delete seen;
  };
  EXPECT_EQ(allocations_of(allocate_once), 1U);
}

TEST(Allocation, ATextIsTokenizedWithoutAny) {
  const auto model = test::TestModel().load();
  ASSERT_TRUE(model);
  TokenizerScratch scratch;
  TokenIds ids;
  ASSERT_TRUE((*model)->tokenize(ids, scratch, "warm"));  // ids get their capacity once
  for (const std::string& text : kTexts) {
    EXPECT_EQ(allocations_of([&] { ASSERT_TRUE((*model)->tokenize(ids, scratch, text)); }), 0U) << text.substr(0, 20);
  }
}

TEST(Allocation, TheFirstTextAllocatesItsIdsAndNothingElse) {
  const auto model = test::TestModel().load();
  ASSERT_TRUE(model);
  ASSERT_TRUE([&] {
    TokenIds ids;
    TokenizerScratch scratch;
    return (*model)->tokenize(ids, scratch, "tables").has_value();
  }());
  for (const std::string& text : kTexts) {
    TokenizerScratch scratch;
    TokenIds ids;
    EXPECT_EQ(allocations_of([&] { ASSERT_TRUE((*model)->tokenize(ids, scratch, text)); }), 1U) << text.substr(0, 20);
  }
}

TEST(Allocation, APassComputesWithoutAny) {
  const auto model = test::TestModel().load();
  ASSERT_TRUE(model);
  const Encoder& encoder = (*model)->encoder();
  auto workspace = encoder.make_workspace();
  ASSERT_TRUE(workspace);
  const std::vector<TokenId> text{2, 4, 5, 3};
  const std::vector<TokenSpan> batch(20, TokenSpan(text));
  std::vector<float> out(batch.size() * test::TestModel::kHidden);
  EXPECT_EQ(allocations_of([&] { ASSERT_TRUE(encoder.embed(*workspace, batch, out)); }), 0U);
}

}  // namespace
}  // namespace eml
