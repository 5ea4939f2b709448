#include "link/draws.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <vector>

#include "error.h"

namespace spikingrx::link {
namespace {

constexpr int64_t kGrain = 16384;  // numbers a thread draws at least

at::Tensor sample_tensor(const Samples& samples, at::IntArrayRef sizes) {
  std::vector<int64_t> shape{samples.count};
  shape.insert(shape.end(), sizes.begin(), sizes.end());
  return at::empty(shape, at::kFloat);
}

// Calls body(sample, where its numbers lie) for each, in parallel.
template <class Body>
void for_samples(int64_t samples, int64_t each, float* data, Body&& body) {
  at::parallel_for(0, samples, std::max<int64_t>(1, kGrain / std::max<int64_t>(1, each)),
                   [&](int64_t begin, int64_t end) {
                     for (int64_t b = begin; b < end; b++) body(b, data + b * each);
                   });
}

}  // namespace

void check_samples(const Samples& samples) {
  SPIKINGRX_CHECK(samples.count >= 0 && samples.first >= 0, "ERR_RANGE",
                  "samples and the number of the first must not be negative, got ", samples.count, " and ",
                  samples.first);
}

at::Tensor draw_bits(const Samples& samples, at::IntArrayRef sizes, at::Device device) {
  check_samples(samples);
  at::Tensor bits = sample_tensor(samples, sizes);
  const int64_t each = samples.count ? bits.numel() / samples.count : 0;
  const auto draw = draw_kernels().bits;
  for_samples(samples.count, each, bits.mutable_data_ptr<float>(),
              [&](int64_t b, float* out) { draw(samples.sequence(Stream::kBits, b), each, out); });
  return bits.to(device);
}

at::Tensor draw_uniform(const Samples& samples, Stream stream, at::IntArrayRef sizes, double low, double high,
                        at::Device device) {
  check_samples(samples);
  at::Tensor values = sample_tensor(samples, sizes);
  const int64_t each = samples.count ? values.numel() / samples.count : 0;
  const auto draw = draw_kernels().uniform;
  for_samples(samples.count, each, values.mutable_data_ptr<float>(), [&](int64_t b, float* out) {
    draw(samples.sequence(stream, b), each, static_cast<float>(low), static_cast<float>(high), out);
  });
  return values.to(device);
}

void add_normal(const Samples& samples, Stream stream, const at::Tensor& deviation, at::Tensor& signal) {
  check_samples(samples);
  const int64_t each = samples.count ? signal.numel() / samples.count : 0;
  const auto draw = draw_kernels().add_normal;
  const at::Tensor deviations = deviation.to(at::kCPU, at::kFloat).contiguous();
  const float* scale = deviations.const_data_ptr<float>();
  const int64_t step = deviations.numel() == 1 ? 0 : 1;
  const bool direct = signal.is_cpu() && signal.scalar_type() == at::kFloat && signal.is_contiguous();
  at::Tensor target = direct ? signal : at::zeros(signal.sizes(), at::kFloat);
  for_samples(samples.count, each, target.mutable_data_ptr<float>(),
              [&](int64_t b, float* out) { draw(samples.sequence(stream, b), each, scale[b * step], out); });
  if (!direct) signal.add_(target.to(signal.device(), signal.scalar_type()));
}

}  // namespace spikingrx::link
