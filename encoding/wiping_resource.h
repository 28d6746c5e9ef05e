// WipingResource is memory for JSON values that hold user text: each buffer is wiped when the value gives it back, and
// counted for the cleanup statement.
#pragma once

#include <boost/json/memory_resource.hpp>
#include <cstddef>
#include <cstdint>

namespace eml {

// WipingResource must outlive the values made with it: pass `&resource` as the storage of parse_json, which then keeps
// short strings in it too. Not thread-safe, one per request. Numbers stand in the values themselves: those of members
// and elements are wiped with their buffer; a copy that the parser held in a register or on the stack is not.
class WipingResource final : public boost::json::memory_resource {
 public:
  WipingResource() = default;
  WipingResource(const WipingResource&) = delete;
  WipingResource& operator=(const WipingResource&) = delete;

  // Buffers handed out so far, and those wiped and given back: equal once every value is gone.
  std::uint64_t buffers_allocated() const { return buffers_allocated_; }
  std::uint64_t buffers_wiped() const { return buffers_wiped_; }
  std::uint64_t bytes_wiped() const { return bytes_wiped_; }

 private:
  void* do_allocate(std::size_t size, std::size_t alignment) override;
  void do_deallocate(void* data, std::size_t size, std::size_t alignment) override;
  bool do_is_equal(const boost::json::memory_resource& other) const noexcept override { return this == &other; }

  std::uint64_t buffers_allocated_ = 0;
  std::uint64_t buffers_wiped_ = 0;
  std::uint64_t bytes_wiped_ = 0;
};

}  // namespace eml
