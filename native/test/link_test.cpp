// The link's draws: every instruction set gives the same bits, and sequences are told apart by each part of their name.
#define SPIKINGRX_LEVEL plain
#include "link/kernels/draws_sets.h"
namespace spikingrx::link::plain {
DrawKernels draw_kernels();
}
#include <ATen/ATen.h>
#include "link/kernels/draws.inl"

#include <cstring>
#include <vector>

#include "check.h"

namespace {

using namespace spikingrx::link;
using Values = std::vector<float>;

bool same(const Values& a, const Values& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

Values bits(const DrawKernels& kernels, Sequence name, int64_t count) {
  Values out(count);
  kernels.bits(name, count, out.data());
  return out;
}

Values normal(const DrawKernels& kernels, Sequence name, int64_t count) {
  Values out(count, 1.f);
  kernels.add_normal(name, count, 0.5f, out.data());
  return out;
}

Values uniform(const DrawKernels& kernels, Sequence name, int64_t count) {
  Values out(count);
  kernels.uniform(name, count, -2.f, 3.f, out.data());
  return out;
}

// Two antennas, 5 times, 23 taps of 7 sinusoids, a line of sight.
Values gains(const DrawKernels& kernels) {
  const int64_t antennas = 2, times = 5, taps = 23, sinusoids = 7;
  const Values angles = uniform(kernels, {1, 2, 3}, sinusoids * taps);
  const Values phases = uniform(kernels, {1, 2, 4}, antennas * sinusoids * taps);
  const Values amplitude(taps, 0.2f), turns{0.f, 0.01f, 0.3f, 1.7f, -4.f};
  const Fading fading{antennas,     times, taps, sinusoids, amplitude.data(), angles.data(), phases.data(),
                      turns.data(), 0.9f,  0.7f, 0.25f};
  Values scratch(fading_scratch(fading)), out(antennas * times * taps * 2);
  kernels.tap_gains(fading, scratch.data(), out.data());
  return out;
}

}  // namespace

#if !defined(__FP_FAST_FMAF)  // where this file would be compiled with contraction, which the kernels are not
TEST("gives the same bits as code compiled for any processor") {
  const DrawKernels best = draw_kernels(), any = plain::draw_kernels();
  for (const int64_t count : {0, 1, 15, 16, 17, 31, 33, 511, 512, 513, 1344}) {
    const Sequence name{7, 2, static_cast<uint64_t>(count)};
    EXPECT(same(bits(best, name, count), bits(any, name, count)));
    EXPECT(same(normal(best, name, count), normal(any, name, count)));
    EXPECT(same(uniform(best, name, count), uniform(any, name, count)));
  }
  EXPECT(same(gains(best), gains(any)));
  const Values delays{0.f, 1e-7f, 3e-6f}, frequencies{-7e5f, 0.f, 1e6f, 2e6f};
  Values a(24), b(24);
  best.steering(delays.data(), 3, frequencies.data(), 4, a.data());
  any.steering(delays.data(), 3, frequencies.data(), 4, b.data());
  EXPECT(same(a, b));
}
#endif

TEST("turns as the cosine and the sine do") {
  const Values delays{1.f}, frequencies{0.f, 0.125f, 0.25f, 0.3f, 0.5f, 0.74f, 1.f, 12.4f, -3.3f};
  Values out(18);
  draw_kernels().steering(delays.data(), 1, frequencies.data(), 9, out.data());
  for (size_t i = 0; i < 9; i++) {
    const double angle = -2 * M_PI * static_cast<double>(frequencies[i]);
    EXPECT_NEAR(out[2 * i], std::cos(angle), 5e-7);
    EXPECT_NEAR(out[2 * i + 1], std::sin(angle), 5e-7);
  }
}

TEST("begins a longer draw with the shorter one") {
  const Values whole = normal(draw_kernels(), {1, 2, 3}, 100), part = normal(draw_kernels(), {1, 2, 3}, 41);
  EXPECT(same(Values(whole.begin(), whole.begin() + 41), part));
}

TEST("tells sequences apart by seed, stream and row") {
  const Values one = uniform(draw_kernels(), {1, 2, 3}, 64);
  EXPECT(!same(one, uniform(draw_kernels(), {2, 2, 3}, 64)));
  EXPECT(!same(one, uniform(draw_kernels(), {1, 3, 3}, 64)));
  EXPECT(!same(one, uniform(draw_kernels(), {1, 2, 4}, 64)));
  EXPECT(!same(one, uniform(draw_kernels(), {1, 3, 2}, 64)));
  for (const float value : one) EXPECT(value >= -2 && value < 3);
}

TEST("draws normal numbers whose tails are there and end") {
  const Values draws = normal(draw_kernels(), {5, 5, 5}, 1 << 20);
  double largest = 0, beyond = 0;
  for (const float value : draws) {
    const double z = std::abs((static_cast<double>(value) - 1) / 0.5);
    largest = std::max(largest, z);
    beyond += z > 3 ? 1 : 0;
  }
  // P(|z| > 3) = 0.0026998; 3 standard deviations of the count.
  const double expected = 0.0026998 * double(draws.size());
  EXPECT_NEAR(beyond, expected, 3 * std::sqrt(expected));
  EXPECT(largest > 4.3 && largest < 5.8);
}

CHECK_MAIN()
