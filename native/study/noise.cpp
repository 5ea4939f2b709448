// spikingrx::correlated_noise: [samples, columns] standard normal numbers, each column a process of its own:
//
//   x[0] = n[0];   x[k+1] = r x[k] + sqrt(1 - r^2) n[k+1]
//
// r = exp(-interval / correlation time) makes it the Ornstein-Uhlenbeck process seen at each interval; r = 0: white.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <cmath>

#include "error.h"

namespace spikingrx::study {
namespace {

at::Tensor correlated_noise(int64_t samples, int64_t columns, double ratio, int64_t seed) {
  SPIKINGRX_CHECK(samples >= 1 && columns >= 1, "ERR_RANGE", "noise needs samples and columns of at least 1, got ",
                  samples, " and ", columns);
  SPIKINGRX_CHECK(ratio >= 0 && ratio < 1, "ERR_RANGE", "noise needs a ratio in [0, 1), got ", ratio);
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(static_cast<uint64_t>(seed));
  at::Tensor noise = at::empty({samples, columns}, at::kDouble).normal_(0, 1, generator);
  if (ratio > 0) {
    double* x = noise.mutable_data_ptr<double>();
    const double fresh = std::sqrt(1 - ratio * ratio);
    for (int64_t k = 1; k < samples; k++)
      for (int64_t i = 0; i < columns; i++)
        x[k * columns + i] = ratio * x[(k - 1) * columns + i] + fresh * x[k * columns + i];
  }
  return noise;
}

}  // namespace

TORCH_LIBRARY_IMPL(spikingrx, CompositeExplicitAutograd, library) {
  library.impl("correlated_noise", &correlated_noise);
}

}  // namespace spikingrx::study
