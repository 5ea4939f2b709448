// Seeded draws, one independent sequence a sample (kernels/draws.h): drawn on the CPU and moved, so that sample n of a
// seed is the same in every batch, on every number of threads and on every device.
#pragma once
#include <ATen/core/Tensor.h>

#include "link/kernels/draws.h"

namespace spikingrx::link {

// What a sequence is for; each has its own numbers.
enum class Stream : uint64_t { kBits = 1, kNoise, kAngles, kPhases, kSpecular, kSnr, kDelaySpread, kSpeed, kGain };

// A name of samples first, first + 1, ... of a seed.
struct Samples {
  int64_t seed, first, count;
  Sequence sequence(Stream stream, int64_t sample) const {
    return {static_cast<uint64_t>(seed), static_cast<uint64_t>(stream), static_cast<uint64_t>(first + sample)};
  }
};
void check_samples(const Samples& samples);

// [count, sizes...] of 0 and 1, float32.
at::Tensor draw_bits(const Samples& samples, at::IntArrayRef sizes, at::Device device);
// [count, sizes...] in [low, high), float32.
at::Tensor draw_uniform(const Samples& samples, Stream stream, at::IntArrayRef sizes, double low, double high,
                        at::Device device);
// signal [count, ...] += deviation z, z standard normal; deviation [count] or [1] float32 on the CPU.
void add_normal(const Samples& samples, Stream stream, const at::Tensor& deviation, at::Tensor& signal);

}  // namespace spikingrx::link
