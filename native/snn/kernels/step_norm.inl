// Included once for each instruction set; see step_norm.h.
#include <algorithm>

#include "snn/kernels/lane_sums.inl"
#include "snn/kernels/step_norm.h"

namespace spikingrx::SPIKINGRX_ISA {
StepNorm step_norm();
namespace {

Moments moments(const float* x, const Planes& planes) {
  const auto count = static_cast<double>(planes.planes * planes.area);
  double sum = 0;
  for (int64_t p = 0; p < planes.planes; p++) {
    const float* from = x + p * planes.step;
    const float* next = p + 1 < planes.planes ? from + planes.step : from;
    sum += sum_of(
        planes.area,
        [&](int64_t i) {
          __builtin_prefetch(next + i);
          return load(from + i);
        },
        [&](int64_t i) { return from[i]; });
  }
  const double mean = sum / count;
  const auto centre = static_cast<float>(mean);
  double squares = 0, rest = 0;
  for (int64_t p = 0; p < planes.planes; p++) {
    const float* from = x + p * planes.step;
    squares += sum_of(
        planes.area,
        [&](int64_t i) {
          const Lanes d = load(from + i) - centre;
          return d * d;
        },
        [&](int64_t i) { return (from[i] - centre) * (from[i] - centre); });
  }
  rest = mean - static_cast<double>(centre);  // sum (x - m)^2 = sum (x - c)^2 - n (m - c)^2
  return {mean, std::max(0.0, squares - count * rest * rest)};
}

void normalise(const float* x, const Planes& planes, float scale, float shift, float* y) {
  for (int64_t p = 0; p < planes.planes; p++) {
    const float* from = x + p * planes.step;
    float* to = y + p * planes.step;
#pragma GCC ivdep
    for (int64_t i = 0; i < planes.area; i++) to[i] = scale * from[i] + shift;
  }
}

GradientSums gradient_sums(const float* x, const float* gradient, const Planes& planes, double mean) {
  const auto centre = static_cast<float>(mean);
  GradientSums sums{0, 0};
  for (int64_t p = 0; p < planes.planes; p++) {
    const float *from = x + p * planes.step, *g = gradient + p * planes.step;
    sums.gradient += sum_of(planes.area, [&](int64_t i) { return load(g + i); }, [&](int64_t i) { return g[i]; });
    sums.product += sum_of(
        planes.area, [&](int64_t i) { return load(g + i) * (load(from + i) - centre); },
        [&](int64_t i) { return g[i] * (from[i] - centre); });
  }
  sums.product += sums.gradient * (static_cast<double>(centre) - mean);
  return sums;
}

void combine(const float* x, const float* gradient, int64_t gradient_step, const Planes& planes, float of_gradient,
             float of_value, float constant, float* result) {
  for (int64_t p = 0; p < planes.planes; p++) {
    const float *from = x + p * planes.step, *g = gradient + p * gradient_step;
    float* to = result + p * planes.step;
#pragma GCC ivdep
    for (int64_t i = 0; i < planes.area; i++) to[i] = (of_gradient * g[i] + constant) + of_value * from[i];
  }
}

}  // namespace

StepNorm step_norm() { return {&moments, &normalise, &gradient_sums, &combine}; }

}  // namespace spikingrx::SPIKINGRX_ISA
