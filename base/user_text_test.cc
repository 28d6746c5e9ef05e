#include "base/user_text.h"

#include <fmt/ostream.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <concepts>
#include <string>
#include <type_traits>

#include "base/log.h"
#include "base/result.h"

#ifdef EML_SANITIZED
#include <sanitizer/allocator_interface.h>
#endif

namespace eml {
namespace {

template <typename T>
concept Streamable = requires(std::ostream& out, const T& value) { out << value; };
template <typename T>
concept Comparable = requires(const T& a, const T& b) { a == b; };
template <typename T>
concept Loggable = requires(T&& value) { LogField{"name", std::forward<T>(value)}; };
template <typename T>
concept Tellable = requires(T&& value) { fail(kInternalError, std::forward<T>(value)); };

// None of these is a way out for user text: that it does not compile is the point.
static_assert(!fmt::is_formattable<UserText>::value);
static_assert(!fmt::is_formattable<const UserText&>::value);
static_assert(!Streamable<UserText>);
static_assert(!Comparable<UserText>);
static_assert(!std::is_copy_constructible_v<UserText> && !std::is_copy_assignable_v<UserText>);
static_assert(!std::is_convertible_v<UserText, std::string_view> && !std::is_convertible_v<UserText, ByteView>);
static_assert(!Loggable<UserText> && !Loggable<const UserText&> && !Tellable<const UserText&>);
static_assert(!Loggable<std::string> && !Loggable<std::string_view> && !Loggable<Bytes> && !Loggable<const char*>);
static_assert(!Tellable<std::string> && !Tellable<std::string_view> && !Tellable<const char*>);
// The concepts can tell the difference.
static_assert(Loggable<int> && Loggable<PublicText> && Loggable<const char (&)[3]>);
static_assert(Streamable<std::string> && fmt::is_formattable<std::string>::value);

TEST(UserText, HoldsAndGrows) {
  UserText text("hello");
  text.append(as_bytes(" world"));
  EXPECT_EQ(text.text(), "hello world");
  EXPECT_EQ(text.size(), 11U);
  const UserText moved(std::move(text));
  EXPECT_EQ(moved.text(), "hello world");
  EXPECT_TRUE(text.empty());  // NOLINT(bugprone-use-after-move): nothing may stay behind
}

TEST(UserText, WipeNowWipesTheWholeCapacityAndReleasesIt) {
  UserText text("a prompt");
  text.reserve(1000);
  EXPECT_EQ(text.wipe_now(), 1000U);
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(text.capacity(), 0U);
  EXPECT_EQ(text.wipe_now(), 0U);
}

#ifdef EML_SANITIZED
// Looks into every heap buffer at the moment it is given back.
constexpr std::uint8_t kMark = 0xc7;
std::size_t g_marks_freed = 0;
std::size_t g_large_buffers_freed = 0;

__attribute__((no_sanitize("address", "thread"))) void look_into(const volatile void* data) {
  const std::size_t size = ::__sanitizer_get_allocated_size(const_cast<const void*>(data));
  const auto* const bytes = static_cast<const volatile std::uint8_t*>(data);
  if (size >= 1000) ++g_large_buffers_freed;
  for (std::size_t i = 0; i < size; ++i) g_marks_freed += bytes[i] == kMark ? 1U : 0U;
}

TEST(UserText, LeavesNothingOfItInAnyBufferThatItGivesBack) {
  static const bool installed =
      ::__sanitizer_install_malloc_and_free_hooks([](const volatile void*, std::size_t) {}, look_into) != 0;
  ASSERT_TRUE(installed);
  g_marks_freed = 0;
  g_large_buffers_freed = 0;
  {
    UserText text;
    const Bytes piece(1, kMark);
    for (int i = 0; i < 1000; ++i) text.append(piece);
    text.resize(10);
    UserText replaced(ByteView(Bytes(2000)));
    replaced = std::move(text);
  }
  EXPECT_EQ(g_marks_freed, 1U);  // the one of `piece`, which also shows that we can see
  EXPECT_GE(g_large_buffers_freed, 2U);
}
#endif

}  // namespace
}  // namespace eml
