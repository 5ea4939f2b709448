// Freed big blocks, kept for reuse (see allocator.h for the rules). Every function may be called from any thread.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace spikingrx {

// Stands in the 64 bytes before the memory handed out.
struct alignas(64) Block {
  void* base;         // what the system gave
  size_t capacity;    // bytes usable after the header
  size_t size;        // bytes asked for
  uint64_t freed_at;  // count of frees when it was kept
  Block* newer;       // neighbours in the list of all kept blocks, by time
  Block* older;
  Block* next;  // neighbours in the list of its size class
  Block* previous;

  void* memory() { return this + 1; }
  static Block* of(void* memory) { return static_cast<Block*>(memory) - 1; }
};
static_assert(sizeof(Block) == 64);

class BlockCache {
 public:
  // A kept block for `size` bytes, or a new one from the system; nullptr when there is no memory.
  Block* take(size_t size);
  // Keeps a block that was in use, and gives back to the system what the bound and the age say. `live` counts the bytes
  // in use before.
  void give(Block* block, int64_t live);
  void clear();
  int64_t kept() const;

 private:
  static constexpr size_t kClasses = 8 * 64;

  Block* take_kept(size_t size_class);
  void unlink(Block* block);
  // Takes blocks out of the lists, oldest first, until the bound holds; returns them linked by `next`.
  Block* trim(int64_t bound);

  mutable std::mutex mutex_;
  std::array<Block*, kClasses> classes_ = {};
  Block* newest_ = nullptr;
  Block* oldest_ = nullptr;
  int64_t kept_ = 0;
  int64_t largest_live_ = 0;
  uint64_t frees_ = 0;
};

// Blocks straight from the system, for requests of any size.
Block* allocate_block(size_t capacity);
void release_block(Block* block);

}  // namespace spikingrx
