// Random numbers and tap gains of the link simulator in 32-bit floats, without libtorch: compiled once for each
// instruction set, without contraction, so that all give the same bits.
//
// A sequence is named by (seed, stream, row), row being the sample's number: sample 1000 is the same whatever the batch
// it is drawn in, the threads and the device. 16 interleaved xoshiro128++ generators (Blackman and Vigna, 2018,
// https://prng.di.unimi.it), their states filled by splitmix64 from the name.
#pragma once
#include <cstdint>

#include "api.h"

namespace spikingrx::link {

struct Sequence {
  uint64_t seed, stream, row;
};

// One sample's fading: R antennas, T times, L taps, N sinusoids a tap.
struct Fading {
  int64_t antennas, times, taps, sinusoids;
  const float* amplitude;  // [L] sqrt(p / N)
  const float* angles;     // [N, L] turns
  const float* phases;     // [R, N, L] turns
  const float* turns;      // [T] doppler * time
  float specular;          // amplitude of the line of sight on tap 0
  float specular_cosine;   // cosine of its angle of arrival
  float specular_phase;    // turns
};

struct DrawKernels {
  // 0 or 1
  void (*bits)(Sequence, int64_t count, float* out);
  // low + (high - low) u, u in [0, 1) in steps of 2^-24
  void (*uniform)(Sequence, int64_t count, float low, float high, float* out);
  // out += deviation z, z standard normal (Box-Muller: a pair is the real and imaginary part of one number)
  void (*add_normal)(Sequence, int64_t count, float deviation, float* out);
  // out [R, T, L, 2]; scratch holds scratch_size() floats
  void (*tap_gains)(const Fading&, float* scratch, float* out);
  // out [L, K, 2] = exp(-2 pi j delay frequency)
  void (*steering)(const float* delays, int64_t taps, const float* frequencies, int64_t subcarriers, float* out);
};

inline int64_t padded_taps(int64_t taps) { return (taps + 15) / 16 * 16; }
inline int64_t fading_scratch(const Fading& f) { return padded_taps(f.taps) * (2 + f.sinusoids * (1 + f.antennas)); }

SPIKINGRX_API const DrawKernels& draw_kernels();  // the best that this processor runs

}  // namespace spikingrx::link
