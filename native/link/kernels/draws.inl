// Body of the kernels in draws.h. Every inner loop runs over kLanes floats without a branch, for the vectoriser.
#include <cmath>
#include <cstring>

#include "link/kernels/draws_sets.h"

namespace spikingrx::link::SPIKINGRX_LEVEL {
namespace {

constexpr int64_t kLanes = 16;
constexpr float kTurn = 6.28318530717958647692f;

class Generator {
 public:
  explicit Generator(Sequence name) {
    uint64_t x = mix(mix(mix(name.seed) ^ name.stream) ^ name.row);
    for (auto& word : state_)
      for (uint32_t& lane : word) lane = static_cast<uint32_t>(mix(x += 0x9E3779B97F4A7C15u) >> 32);
  }

  void next(uint32_t* out) {
    for (int64_t i = 0; i < kLanes; i++) {
      const uint32_t sum = state_[0][i] + state_[3][i];
      out[i] = ((sum << 7) | (sum >> 25)) + state_[0][i];
      const uint32_t shifted = state_[1][i] << 9;
      state_[2][i] ^= state_[0][i], state_[3][i] ^= state_[1][i];
      state_[1][i] ^= state_[2][i], state_[0][i] ^= state_[3][i];
      state_[2][i] ^= shifted;
      state_[3][i] = (state_[3][i] << 11) | (state_[3][i] >> 21);
    }
  }

 private:
  static uint64_t mix(uint64_t z) {  // splitmix64
    z += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }

  alignas(64) uint32_t state_[4][kLanes];
};

inline float unit(uint32_t bits) { return static_cast<float>(static_cast<int32_t>(bits >> 8)) * 0x1p-24f; }

// cos and sin of 2 pi turns. |turns| < 2^22; Taylor on an eighth of a turn, error below 1e-7.
inline void turn(float turns, float& cosine, float& sine) {
  const float bias = 0x1.8p23f;  // adding it rounds to a whole number
  const float quarters = turns * 4 + bias;
  int32_t quadrant;
  std::memcpy(&quadrant, &quarters, sizeof quadrant);
  const float x = (turns * 4 - (quarters - bias)) * (kTurn / 4), y = x * x;
  const float s = x + x * y * (-1.f / 6 + y * (1.f / 120 + y * (-1.f / 5040 + y * (1.f / 362880))));
  const float c = 1 + y * (-1.f / 2 + y * (1.f / 24 + y * (-1.f / 720 + y * (1.f / 40320))));
  const bool odd = quadrant & 1, sine_negative = quadrant & 2, cosine_negative = (quadrant + 1) & 2;
  const float even_sine = odd ? c : s, even_cosine = odd ? s : c;
  sine = sine_negative ? -even_sine : even_sine;
  cosine = cosine_negative ? -even_cosine : even_cosine;
}

// -ln u, u in (0, 1]: u = 2^e m, m in [2/3, 4/3), ln m = 2 atanh((m - 1) / (m + 1)).
inline float negative_log(float u) {
  int32_t bits;
  std::memcpy(&bits, &u, sizeof bits);
  const int32_t exponent = (bits - 0x3f2aaaab) >> 23;
  bits -= exponent * (1 << 23);
  float m;
  std::memcpy(&m, &bits, sizeof m);
  const float s = (m - 1) / (m + 1), y = s * s;
  const float series = s * (2 + y * (2.f / 3 + y * (2.f / 5 + y * (2.f / 7 + y * (2.f / 9)))));
  return -(static_cast<float>(exponent) * 0.69314718055994530942f + series);
}

void bits(Sequence name, int64_t count, float* out) {
  Generator generator(name);
  alignas(64) uint32_t words[kLanes];
  for (int64_t first = 0; first < count; first += 32 * kLanes) {
    generator.next(words);
    for (int64_t shift = 0; shift < 32; shift++) {
      const int64_t at = first + shift * kLanes, width = count - at < kLanes ? count - at : kLanes;
      for (int64_t i = 0; i < width; i++)
        out[at + i] = static_cast<float>(static_cast<int32_t>((words[i] >> (31 - shift)) & 1));
      if (width <= 0) break;
    }
  }
}

void uniform(Sequence name, int64_t count, float low, float high, float* out) {
  Generator generator(name);
  alignas(64) uint32_t words[kLanes];
  for (int64_t first = 0; first < count; first += kLanes) {
    generator.next(words);
    const int64_t width = count - first < kLanes ? count - first : kLanes;
    for (int64_t i = 0; i < width; i++) out[first + i] = low + (high - low) * unit(words[i]);
  }
}

void add_normal(Sequence name, int64_t count, float deviation, float* out) {
  Generator generator(name);
  alignas(64) uint32_t radii[kLanes], angles[kLanes];
  alignas(64) float pairs[2 * kLanes];
  for (int64_t first = 0; first < count; first += 2 * kLanes) {
    generator.next(radii), generator.next(angles);
    for (int64_t i = 0; i < kLanes; i++) {
      const float radius = deviation * std::sqrt(2 * negative_log(unit(radii[i]) + 0x1p-24f));
      float cosine, sine;
      turn(unit(angles[i]), cosine, sine);
      pairs[2 * i] = radius * cosine;
      pairs[2 * i + 1] = radius * sine;
    }
    const int64_t width = count - first < 2 * kLanes ? count - first : 2 * kLanes;
    for (int64_t i = 0; i < width; i++) out[first + i] += pairs[i];
  }
}

// Rows [N, L] into rows of padded_taps(L), zeros at the end.
void pad_rows(const float* from, int64_t rows, int64_t taps, int64_t padded, float* to) {
  for (int64_t row = 0; row < rows; row++)
    for (int64_t l = 0; l < padded; l++) to[row * padded + l] = l < taps ? from[row * taps + l] : 0.f;
}

void tap_gains(const Fading& f, float* scratch, float* out) {
  const int64_t padded = padded_taps(f.taps), rows = f.sinusoids;
  float *real = scratch, *imaginary = real + padded, *cosines = imaginary + padded, *phases = cosines + rows * padded;
  pad_rows(f.angles, rows, f.taps, padded, cosines);
  pad_rows(f.phases, f.antennas * rows, f.taps, padded, phases);
  for (int64_t i = 0; i < rows * padded; i++) {
    float cosine, sine;
    turn(cosines[i], cosine, sine);
    cosines[i] = cosine;
  }
  for (int64_t r = 0; r < f.antennas; r++)
    for (int64_t t = 0; t < f.times; t++) {
      const float turns = f.turns[t];
      for (int64_t first = 0; first < padded; first += kLanes) {
        alignas(64) float re[kLanes] = {}, im[kLanes] = {};
        for (int64_t n = 0; n < rows; n++) {
          const float* cosine_row = cosines + n * padded + first;
          const float* phase_row = phases + (r * rows + n) * padded + first;
          for (int64_t l = 0; l < kLanes; l++) {
            float cosine, sine;
            turn(turns * cosine_row[l] + phase_row[l], cosine, sine);
            re[l] += cosine, im[l] += sine;
          }
        }
        for (int64_t l = 0; l < kLanes; l++) real[first + l] = re[l], imaginary[first + l] = im[l];
      }
      float* row = out + (r * f.times + t) * f.taps * 2;
      for (int64_t l = 0; l < f.taps; l++)
        row[2 * l] = f.amplitude[l] * real[l], row[2 * l + 1] = f.amplitude[l] * imaginary[l];
      float cosine, sine;
      turn(turns * f.specular_cosine + f.specular_phase, cosine, sine);
      row[0] += f.specular * cosine, row[1] += f.specular * sine;
    }
}

void steering(const float* delays, int64_t taps, const float* frequencies, int64_t subcarriers, float* out) {
  for (int64_t l = 0; l < taps; l++)
    for (int64_t k = 0; k < subcarriers; k++) {
      float cosine, sine;
      turn(-(delays[l] * frequencies[k]), cosine, sine);
      out[2 * (l * subcarriers + k)] = cosine;
      out[2 * (l * subcarriers + k) + 1] = sine;
    }
}

}  // namespace

DrawKernels draw_kernels() { return {bits, uniform, add_normal, tap_gains, steering}; }

}  // namespace spikingrx::link::SPIKINGRX_LEVEL
