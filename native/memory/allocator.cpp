#include "memory/allocator.h"

#include <c10/core/Allocator.h>
#include <c10/core/Device.h>
#include <c10/util/Exception.h>

#include <atomic>

#include "memory/block_cache.h"

namespace spikingrx {
namespace {

std::atomic<int64_t> live{0};

// Leaked on purpose: tensors may be freed while the process tears itself down.
BlockCache& cache() {
  static auto* cache = new BlockCache;
  return *cache;
}

void free_memory(void* memory) {
  if (memory == nullptr) return;
  Block* block = Block::of(memory);
  const auto size = static_cast<int64_t>(block->size);
  const int64_t before = live.fetch_sub(size, std::memory_order_relaxed);
  if (block->capacity >= kBigBlock) {
    cache().give(block, before);
  } else {
    release_block(block);
  }
}

class CpuAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t size) override {
    const c10::Device device(c10::DeviceType::CPU);
    if (size == 0) return {nullptr, nullptr, &free_memory, device};
    Block* block = size >= kBigBlock ? cache().take(size) : allocate_block(size);
    TORCH_CHECK_WITH(OutOfMemoryError, block != nullptr, "out of memory: cannot allocate ", size, " bytes (",
                     live.load(std::memory_order_relaxed), " bytes are in use by tensors)");
    block->size = size;
    live.fetch_add(static_cast<int64_t>(size), std::memory_order_relaxed);
    return {block->memory(), block->memory(), &free_memory, device};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &free_memory; }

  void copy_data(void* target, const void* source, size_t count) const override {
    default_copy_data(target, source, count);
  }
};

}  // namespace

void install_allocator() {
  static auto* allocator = [] {
    auto* made = new CpuAllocator;
    c10::SetAllocator(c10::DeviceType::CPU, made, 100);
    return made;
  }();
  static_cast<void>(allocator);
}

int64_t live_bytes() { return live.load(std::memory_order_relaxed); }

int64_t kept_bytes() { return cache().kept(); }

void release_kept_memory() { cache().clear(); }

}  // namespace spikingrx
