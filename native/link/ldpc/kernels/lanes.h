// A vector register of floats, in GCC's and Clang's vector extension: what the compiler makes of it depends on the
// instruction set that the including file is compiled for. Included by decode.inl only.
#pragma once
#include <cstdint>
#include <cstring>

namespace spikingrx::ldpc {
namespace {

#if defined(__AVX512F__)
constexpr int64_t kRegisterBytes = 64;
#elif defined(__AVX2__)
constexpr int64_t kRegisterBytes = 32;
#else
constexpr int64_t kRegisterBytes = 16;
#endif
constexpr int64_t kLanes = kRegisterBytes / 4;

typedef float Lanes __attribute__((vector_size(kRegisterBytes)));
typedef int32_t Integers __attribute__((vector_size(kRegisterBytes)));

#define SPIKINGRX_LANES [[gnu::always_inline]] inline

SPIKINGRX_LANES Lanes load(const float* from) {
  Lanes x;
  std::memcpy(&x, from, sizeof x);
  return x;
}

SPIKINGRX_LANES void store(float* to, Lanes x) { std::memcpy(to, &x, sizeof x); }

SPIKINGRX_LANES Lanes all(float value) { return Lanes{} + value; }

// min and max of the instruction sets, which give b where one is not a number.
SPIKINGRX_LANES Lanes smaller(Lanes a, Lanes b) { return a < b ? a : b; }
SPIKINGRX_LANES Lanes larger(Lanes a, Lanes b) { return a > b ? a : b; }

SPIKINGRX_LANES Lanes between(Lanes x, Lanes limit) { return larger(smaller(x, limit), -limit); }

SPIKINGRX_LANES Integers sign_bit(Lanes x) { return (Integers)x & INT32_MIN; }

SPIKINGRX_LANES Lanes magnitude(Lanes x) { return (Lanes)((Integers)x & INT32_MAX); }

SPIKINGRX_LANES Lanes with_sign(Lanes x, Integers sign) { return (Lanes)((Integers)x ^ sign); }

// exp(-x) for x in [0, 80]: 2^n 2^f with f in [-1/2, 1/2], a polynomial of least relative error (2e-9).
SPIKINGRX_LANES Lanes exp_of_minus(Lanes x) {
  constexpr float to_nearest = 12582912.f;  // 1.5 x 2^23: adding it leaves an integer in the last bits
  const Lanes y = x * -1.44269504f;
  const Lanes n = (y + to_nearest) - to_nearest, f = y - n;
  Lanes p = all(1.53458120e-4f);
  p = p * f + 1.33999314e-3f;
  p = p * f + 9.61848896e-3f;
  p = p * f + 5.55032878e-2f;
  p = p * f + 2.40226469e-1f;
  p = p * f + 6.93147206e-1f;
  p = p * f + 1.f;
  return p * (Lanes)((__builtin_convertvector(n, Integers) + 127) << 23);
}

// log x for normal x > 0: x = 2^n (1 + f) with 1 + f in [sqrt(1/2), sqrt 2), a polynomial of least error (6e-9).
SPIKINGRX_LANES Lanes log_of(Lanes x) {
  constexpr int32_t root_of_half = 0x3f3504f3;
  const Integers n = ((Integers)x - root_of_half) >> 23;
  const Lanes f = (Lanes)((Integers)x - (n << 23)) - 1.f;
  Lanes p = all(8.733629e-2f);
  p = p * f - 1.4441878e-1f;
  p = p * f + 1.4979288e-1f;
  p = p * f - 1.6552334e-1f;
  p = p * f + 1.9953613e-1f;
  p = p * f - 2.5002491e-1f;
  p = p * f + 3.3334225e-1f;
  p = p * f - 4.9999982e-1f;
  return __builtin_convertvector(n, Lanes) * 6.93147181e-1f + (f + p * (f * f));
}

}  // namespace
}  // namespace spikingrx::ldpc
