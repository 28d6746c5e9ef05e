#include "base/secret.h"

#include <fmt/ostream.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <ostream>
#include <thread>
#include <type_traits>
#include <vector>

#include "base/secret_pool.h"

namespace eml {
namespace {

SecretAccess access() { return SecretAccess::i_am_cryptography_or_a_test(); }

SecretBytes filled(std::size_t size) {
  SecretBytes secret(size);
  std::ranges::fill(secret.write(access()), std::uint8_t{0xa5});
  return secret;
}

std::size_t left_behind() { return SecretPool::instance().count_nonzero_bytes(); }

template <typename T>
concept Comparable = requires(const T& a, const T& b) { a == b; };
template <typename T>
concept Streamable = requires(std::ostream& out, const T& value) { out << value; };

static_assert(!std::is_copy_constructible_v<SecretBytes> && !std::is_copy_assignable_v<SecretBytes>);
static_assert(std::is_nothrow_move_constructible_v<SecretBytes>);
static_assert(!Comparable<SecretBytes>);
static_assert(!Streamable<SecretBytes>);
static_assert(!fmt::is_formattable<SecretBytes>::value);
static_assert(!std::is_convertible_v<SecretBytes, ByteView>);
static_assert(!std::is_default_constructible_v<SecretAccess>);

TEST(Secret, IsZeroFilledAndInThePool) {
  const SecretBytes secret(48);
  EXPECT_EQ(secret.size(), 48U);
  EXPECT_TRUE(std::ranges::all_of(secret.read(access()), [](std::uint8_t b) { return b == 0; }));
  EXPECT_TRUE(SecretPool::instance().contains(secret.read(access()).data()));
}

TEST(Secret, IsWipedWhenItEnds) {
  ASSERT_EQ(left_behind(), 0U);
  {
    const SecretBytes secret = filled(77);
    EXPECT_EQ(left_behind(), 77U);
  }
  EXPECT_EQ(left_behind(), 0U);
}

TEST(Secret, IsWipedByClearAndEmptyAfterwards) {
  SecretBytes secret = filled(32);
  secret.clear();
  EXPECT_TRUE(secret.empty());
  EXPECT_EQ(left_behind(), 0U);
  secret.clear();
  EXPECT_TRUE(secret.read(access()).empty());
}

TEST(Secret, MovesWithoutACopyAndLeavesNothing) {
  SecretBytes first = filled(32);
  const std::uint8_t* const data = first.read(access()).data();
  SecretBytes second(std::move(first));
  EXPECT_EQ(second.read(access()).data(), data);
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): the header promises it
  EXPECT_EQ(left_behind(), 32U);
}

TEST(Secret, MoveAssignmentWipesWhatItReplaces) {
  SecretBytes target = filled(64);
  SecretBytes source = filled(32);
  target = std::move(source);
  EXPECT_EQ(left_behind(), 32U);
  SecretBytes& alias = target;
  target = std::move(alias);
  EXPECT_EQ(target.size(), 32U);
}

TEST(Secret, CopyToSecretHoldsTheBytes) {
  const Bytes bytes{1, 2, 3};
  const SecretBytes secret = copy_to_secret(bytes);
  EXPECT_TRUE(equal(secret.read(access()), bytes));
  EXPECT_TRUE(copy_to_secret({}).empty());
}

TEST(SecretPool, GivesAFreedSlotOutAgain) {
  const std::size_t used = secret_memory_status().used_bytes;
  SecretBytes first = filled(32);
  const std::uint8_t* const data = first.read(access()).data();
  EXPECT_EQ(secret_memory_status().used_bytes, used + 32);
  first.clear();
  EXPECT_EQ(secret_memory_status().used_bytes, used);
  const SecretBytes second(32);
  EXPECT_EQ(second.read(access()).data(), data);
}

TEST(SecretPool, HoldsSecretsOfEverySizeApart) {
  std::vector<SecretBytes> secrets;
  std::size_t total = 0;
  for (const std::size_t size : {1U, 31U, 32U, 33U, 4096U, 16384U, 16385U, 65536U}) {
    secrets.push_back(filled(size));
    total += size;
  }
  EXPECT_EQ(left_behind(), total);
  while (!secrets.empty()) {
    total -= secrets.front().size();
    secrets.erase(secrets.begin());
    EXPECT_EQ(left_behind(), total);
  }
}

TEST(SecretPool, FallsBackAndCountsWhenItIsFull) {
  const std::size_t before = secret_memory_status().fallback_count;
  {
    const SecretBytes too_large = filled(SecretPool::kPoolBytes + 1);
    EXPECT_EQ(too_large.size(), SecretPool::kPoolBytes + 1);
  }
  EXPECT_EQ(secret_memory_status().fallback_count, before + 1);
  const SecretBytes all = filled(SecretPool::kPoolBytes);
  EXPECT_EQ(secret_memory_status().fallback_count, before + 1);
  const SecretBytes one_more = filled(32);
  EXPECT_EQ(secret_memory_status().fallback_count, before + 2);
  EXPECT_FALSE(SecretPool::instance().contains(one_more.read(access()).data()));
}

TEST(SecretPool, ServesManyThreads) {
  const std::size_t used = secret_memory_status().used_bytes;
  std::vector<std::thread> threads;
  for (std::uint8_t t = 1; t <= 4; ++t) {
    threads.emplace_back([t] {
      for (std::size_t i = 0; i < 500; ++i) {
        SecretBytes secret(1 + i % 300);
        std::ranges::fill(secret.write(access()), t);
        EXPECT_TRUE(std::ranges::all_of(secret.read(access()), [t](std::uint8_t b) { return b == t; }));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(secret_memory_status().used_bytes, used);
  EXPECT_EQ(left_behind(), 0U);
}

TEST(SecretPool, IsLockedWhereTheLimitAllowsIt) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_MEMLOCK, &limit), 0);
  if (limit.rlim_cur < SecretPool::kPoolBytes) GTEST_SKIP() << "RLIMIT_MEMLOCK is under 1 MiB here";
  EXPECT_TRUE(secret_memory_status().locked);
  EXPECT_EQ(secret_memory_status().pool_bytes, SecretPool::kPoolBytes);
  EXPECT_TRUE(require_locked_secrets());
}

int exit_status(pid_t child) {
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(SecretPool, IsEmptyInAForkedChild) {
  if (!secret_memory_status().locked) GTEST_SKIP() << "no MADV_WIPEONFORK here";
  const SecretBytes secret = filled(32);
  const pid_t child = ::fork();
  if (child == 0) ::_exit(left_behind() == 0 ? 0 : 1);
  EXPECT_EQ(exit_status(child), 0);
}

TEST(SecretPool, SaysSoWhenMemoryCannotBeLocked) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit none{.rlim_cur = 0, .rlim_max = 0};
    ::setrlimit(RLIMIT_MEMLOCK, &none);
    if (::setuid(65534) != 0) ::_exit(77);  // root locks without a limit
    SecretPool pool;                        // as a start with that limit would find it
    const std::uint8_t* data = pool.allocate(32);
    ::_exit(!pool.status().locked && pool.contains(data) ? 0 : 1);
  }
  const int status = exit_status(child);
  if (status == 77) GTEST_SKIP() << "cannot become an ordinary user here";
  EXPECT_EQ(status, 0);
}

TEST(Hardening, SwitchesOffCoreDumpsAndPtrace) {
  const pid_t child = ::fork();
  if (child == 0) {
    rlimit core{};
    const bool good = harden_process() && ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 &&
                      ::getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0;
    ::_exit(good ? 0 : 1);
  }
  EXPECT_EQ(exit_status(child), 0);
}

TEST(Wipe, OverwritesAndCounts) {
  Bytes bytes{1, 2, 3};
  EXPECT_EQ(wipe(bytes), 3U);
  EXPECT_EQ(bytes, Bytes(3));
  EXPECT_EQ(wipe(nullptr, 0), 0U);
}

}  // namespace
}  // namespace eml
