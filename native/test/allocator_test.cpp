// The CPU allocator: counts, alignment, reuse, bounds, threads, out of memory.
#include "memory/allocator.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <cstring>
#include <thread>
#include <vector>

#include "test/check.h"

using namespace spikingrx;

namespace {

constexpr int64_t kMiB = 1 << 20;

at::Tensor bytes(int64_t count) { return at::empty({count}, at::kByte); }

uintptr_t address(const at::Tensor& tensor) { return reinterpret_cast<uintptr_t>(tensor.data_ptr()); }

}  // namespace

TEST("counts the bytes asked for, and shared storage once") {
  const int64_t before = live_bytes();
  {
    const at::Tensor small = bytes(100), big = bytes(5 * kMiB + 3);
    const at::Tensor view = big.slice(0, 10, 20);
    EXPECT_EQ(live_bytes() - before, 5 * kMiB + 103);
  }
  EXPECT_EQ(live_bytes(), before);
}

TEST("gives memory aligned to 64 bytes that can be written to its end") {
  for (const int64_t size : {1L, 63L, 64L, 1000L, 65535L, 65536L, 65537L, 3000001L}) {
    const at::Tensor tensor = bytes(size);
    EXPECT_EQ(address(tensor) % 64, 0u);
    std::memset(tensor.data_ptr(), 7, static_cast<size_t>(size));
  }
}

TEST("gives an empty tensor no memory") {
  const int64_t before = live_bytes();
  const at::Tensor tensor = bytes(0);
  EXPECT_EQ(address(tensor), 0u);
  EXPECT_EQ(live_bytes(), before);
}

TEST("reuses a freed big block for the same size and for one up to a quarter smaller") {
  release_kept_memory();
  const uintptr_t first = address(bytes(10 * kMiB));
  EXPECT_EQ(address(bytes(10 * kMiB)), first);
  EXPECT_EQ(address(bytes(9 * kMiB + 1)), first);
  const at::Tensor far_smaller = bytes(5 * kMiB);
  EXPECT(address(far_smaller) != first);
  EXPECT(kept_bytes() >= 10 * kMiB);
}

TEST("serves every step of a steady loop from what the first one freed") {
  release_kept_memory();
  const auto step = [] {
    std::vector<at::Tensor> activations;
    for (int64_t i = 1; i <= 20; i++) activations.push_back(bytes(i * 100'000));
  };
  step();
  const int64_t kept = kept_bytes();
  for (int i = 0; i < 50; i++) {
    step();
    EXPECT_EQ(kept_bytes(), kept);
  }
}

TEST("gives back blocks that nothing has used for a long time") {
  release_kept_memory();
  address(bytes(16 * kMiB));
  EXPECT(kept_bytes() >= 16 * kMiB);
  for (uint64_t i = 0; i <= kLargestAge; i++) bytes(100'000);
  EXPECT(kept_bytes() < 16 * kMiB);
}

TEST("keeps no more than the largest use so far calls for") {
  release_kept_memory();
  int64_t largest = 0;
  for (int64_t size = 10 * kMiB; size < 100 * kMiB; size += 7 * kMiB) {
    const int64_t before = live_bytes();
    bytes(size);
    largest = std::max(largest, before + size);
    EXPECT(kept_bytes() + live_bytes() <= largest + largest / 4 + 64 * kMiB);
  }
}

TEST("tells out of memory by its own type and leaves the count as it was") {
  const int64_t before = live_bytes();
  bool thrown = false;
  try {
    bytes(int64_t{1} << 60);
  } catch (const c10::OutOfMemoryError& error) {
    thrown = true;
    EXPECT(std::string(error.what_without_backtrace()).find("1152921504606846976 bytes") != std::string::npos);
  }
  EXPECT(thrown);
  EXPECT_EQ(live_bytes(), before);
}

TEST("serves threads that free each other's memory") {
  const int64_t before = live_bytes();
  std::vector<std::thread> threads;
  std::vector<std::vector<at::Tensor>> made(4);
  for (int t = 0; t < 4; t++) {
    threads.emplace_back([&made, t] {
      for (int round = 0; round < 200; round++) {
        made[t].push_back(bytes(1 + (round * 7919 + t * 104729) % 400'000));
        made[t].back().fill_(t);
        if (round % 3 == 0) made[t].erase(made[t].begin());
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (int t = 0; t < 4; t++) {
    for (const at::Tensor& tensor : made[t]) EXPECT(tensor.eq(t).all().item<bool>());
  }
  made.clear();
  EXPECT_EQ(live_bytes(), before);
}

int main(int, char** argv) {
  install_allocator();
  return check::run(argv[0]);
}
