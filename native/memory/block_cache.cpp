#include "memory/block_cache.h"

#include <bit>
#include <cstdlib>

#include "memory/allocator.h"

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace spikingrx {
namespace {

constexpr size_t kSteps = 8;  // size classes from one power of two to the next

// The smallest class whose size is at least `size`.
size_t class_of(size_t size) {
  const size_t exponent = std::bit_width(size) - 1;
  const size_t step = size_t{1} << (exponent - 3);
  const size_t above = (size - (size_t{1} << exponent) + step - 1) / step;
  return exponent * kSteps + above;
}

size_t size_of_class(size_t size_class) {
  const size_t exponent = size_class / kSteps;
  return (size_t{1} << exponent) + (size_class % kSteps) * (size_t{1} << (exponent - 3));
}

void release_list(Block* block) {
  while (block != nullptr) {
    Block* next = block->next;
    release_block(block);
    block = next;
  }
}

#if defined(__linux__)
constexpr size_t kMapped = kBigBlock;  // from here on each block is a mapping of its own, returned when released
constexpr size_t kHugePage = 2 * 1024 * 1024;

// A mapping of `length` bytes, from one huge page on aligned to huge pages, which are asked for where the block fills
// them whole: they save most address translations, a third of the time of kernels that stream (LIF over 64 MiB on one
// core: 16 ms with, 26 ms without). nullptr when there is no memory.
void* map_memory(size_t length) {
  const bool huge = length >= kHugePage;
  const size_t room = huge ? kHugePage : 0;
  void* mapped = mmap(nullptr, length + room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  if (!huge) return mapped;
  const auto start = reinterpret_cast<uintptr_t>(mapped);
  const uintptr_t aligned = (start + kHugePage - 1) & ~uintptr_t{kHugePage - 1};
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t end = (aligned + length + page - 1) & ~(page - 1),
                  mapped_end = (start + length + room + page - 1) & ~(page - 1);
  if (aligned > start) munmap(mapped, aligned - start);
  if (mapped_end > end) munmap(reinterpret_cast<void*>(end), mapped_end - end);
  madvise(reinterpret_cast<void*>(aligned), length / kHugePage * kHugePage, MADV_HUGEPAGE);
  return reinterpret_cast<void*>(aligned);
}
#endif

}  // namespace

Block* allocate_block(size_t capacity) {
  if (capacity > SIZE_MAX / 2) return nullptr;
#if defined(__linux__)
  if (capacity >= kMapped) {
    void* base = map_memory(capacity + sizeof(Block));
    if (base == nullptr) return nullptr;
    auto* block = static_cast<Block*>(base);
    block->base = base;
    block->capacity = capacity;
    return block;
  }
#endif
  // malloc and an alignment of our own: glibc's posix_memalign does not reuse holes of equal size.
  void* base = std::malloc(capacity + 2 * sizeof(Block));
  if (base == nullptr) return nullptr;
  const auto address = (reinterpret_cast<uintptr_t>(base) + alignof(Block) - 1) & ~uintptr_t{alignof(Block) - 1};
  auto* block = reinterpret_cast<Block*>(address);
  block->base = base;
  block->capacity = capacity;
  return block;
}

void release_block(Block* block) {
#if defined(__linux__)
  if (block->capacity >= kMapped) {
    munmap(block->base, block->capacity + sizeof(Block));
    return;
  }
#endif
  std::free(block->base);
}

Block* BlockCache::take(size_t size) {
  const size_t wanted = class_of(size);
  if (wanted + 1 >= kClasses - kSteps) return nullptr;
  {
    std::lock_guard lock(mutex_);
    for (size_t size_class : {wanted, wanted + 1}) {
      if (Block* block = take_kept(size_class)) return block;
    }
  }
  if (Block* block = allocate_block(size_of_class(wanted))) return block;
  clear();  // out of memory: what is kept may be what is missing
  return allocate_block(size_of_class(wanted));
}

Block* BlockCache::take_kept(size_t size_class) {
  Block* block = classes_[size_class];
  if (block != nullptr) unlink(block);
  return block;
}

void BlockCache::give(Block* block, int64_t live) {
  Block* released = nullptr;
  {
    std::lock_guard lock(mutex_);
    Block*& first = classes_[class_of(block->capacity)];
    block->previous = nullptr;
    block->next = first;
    if (first != nullptr) first->previous = block;
    first = block;

    block->newer = nullptr;
    block->older = newest_;
    (newest_ != nullptr ? newest_->newer : oldest_) = block;
    newest_ = block;

    kept_ += static_cast<int64_t>(block->capacity);
    block->freed_at = ++frees_;
    if (live > largest_live_) largest_live_ = live;
    released =
        trim(largest_live_ + largest_live_ / 4 + (int64_t{64} << 20) - (live - static_cast<int64_t>(block->size)));
  }
  release_list(released);  // outside the lock: unmapping is slow
}

Block* BlockCache::trim(int64_t bound) {
  Block* released = nullptr;
  while (oldest_ != nullptr && (kept_ > bound || frees_ - oldest_->freed_at > kLargestAge)) {
    Block* block = oldest_;
    unlink(block);
    block->next = released;
    released = block;
  }
  return released;
}

void BlockCache::unlink(Block* block) {
  if (block->previous != nullptr) {
    block->previous->next = block->next;
  } else {
    classes_[class_of(block->capacity)] = block->next;
  }
  if (block->next != nullptr) block->next->previous = block->previous;
  (block->newer != nullptr ? block->newer->older : newest_) = block->older;
  (block->older != nullptr ? block->older->newer : oldest_) = block->newer;
  kept_ -= static_cast<int64_t>(block->capacity);
}

void BlockCache::clear() {
  Block* released = nullptr;
  {
    std::lock_guard lock(mutex_);
    released = trim(-1);
  }
  release_list(released);
}

int64_t BlockCache::kept() const {
  std::lock_guard lock(mutex_);
  return kept_;
}

}  // namespace spikingrx
