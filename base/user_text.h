// UserText is what a user sent or will get: a request body, a prompt, a response, numbers computed from them.
// It owns its bytes, wipes them when it ends or grows, and has no way into a log, an error, a metric or a
// formatter: none of their functions takes one, and the conversions that would are deleted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/secret.h"

namespace eml {

// WipingAllocator wipes memory before it gives it back, so growth and exceptions are covered too.
template <typename T>
struct WipingAllocator {
  using value_type = T;
  WipingAllocator() = default;
  template <typename U>
  WipingAllocator(const WipingAllocator<U>&) {}  // NOLINT(google-explicit-constructor)
  T* allocate(std::size_t n) { return std::allocator<T>().allocate(n); }
  void deallocate(T* p, std::size_t n) {
    wipe(p, n * sizeof(T));
    std::allocator<T>().deallocate(p, n);
  }
  friend bool operator==(const WipingAllocator&, const WipingAllocator&) { return true; }
};

template <typename T>
using WipingVector = std::vector<T, WipingAllocator<T>>;

// UserText is movable and not copyable. `bytes()` and `text()` view it; such views are for parsers, hashes and
// the channel, and a function that takes one promises not to keep or print it.
class UserText {
 public:
  UserText() = default;
  explicit UserText(ByteView bytes) : bytes_(bytes.begin(), bytes.end()) {}
  explicit UserText(std::string_view text) : UserText(as_bytes(text)) {}
  UserText(UserText&&) noexcept = default;
  UserText& operator=(UserText&&) noexcept = default;
  UserText(const UserText&) = delete;
  UserText& operator=(const UserText&) = delete;

  ByteView bytes() const { return {bytes_.data(), bytes_.size()}; }
  std::string_view text() const { return as_text(bytes()); }
  MutableByteView mutable_bytes() { return {bytes_.data(), bytes_.size()}; }
  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  std::size_t capacity() const { return bytes_.capacity(); }

  void append(ByteView more) { bytes_.insert(bytes_.end(), more.begin(), more.end()); }
  void reserve(std::size_t n) { bytes_.reserve(n); }
  void resize(std::size_t n) { bytes_.resize(n); }

  friend std::ostream& operator<<(std::ostream&, const UserText&) = delete;
  bool operator==(const UserText&) const = delete;  // compare views, and say by that which ones

  // wipe_now wipes the whole buffer (its capacity) and releases it. Returns the bytes wiped, for the cleanup
  // statement.
  std::size_t wipe_now();

 private:
  WipingVector<std::uint8_t> bytes_;
};

}  // namespace eml
