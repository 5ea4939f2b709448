// The CPU allocator of the process: counts live bytes exactly and reuses big blocks instead of faulting pages in again.
//
// A training step frees and asks for the same sizes over and over. Handing a big block back to the system makes the
// next step pay one page fault for each 4 kB; freed big blocks are therefore kept, by size, for the next request:
//
//   size classes  2^k (1 + j/8), j = 0..7: a request takes a block of its class or of the next (at most 25 % larger)
//   bound         live + kept <= 1.25 * (largest live so far) + 64 MiB; the block kept longest goes first
//   age           a block that `kLargestAge` later frees of big blocks found unused goes back to the system
//
// Memory is 64-byte aligned. Running out of memory throws c10::OutOfMemoryError.
#pragma once
#include <cstddef>
#include <cstdint>

#include "api.h"

namespace spikingrx {

// Requests of at least this size are kept when freed.
inline constexpr size_t kBigBlock = 64 * 1024;
inline constexpr uint64_t kLargestAge = 4096;

// Makes it libtorch's CPU allocator. Later calls do nothing. Memory handed out before keeps its own deleter.
SPIKINGRX_API void install_allocator();

// Bytes asked for and not freed yet.
SPIKINGRX_API int64_t live_bytes();
// Bytes of freed blocks kept for reuse.
SPIKINGRX_API int64_t kept_bytes();

// Gives every kept block back to the system.
SPIKINGRX_API void release_kept_memory();

}  // namespace spikingrx
