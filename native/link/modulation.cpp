#include "link/modulation.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/stack.h>

#include <cmath>
#include <vector>

#include "link/arguments.h"

namespace spikingrx::link {
namespace {

// sqrt of the mean energy of the unscaled levels +-1, +-3, ... in two dimensions.
double scale_of(int64_t bits) { return std::sqrt(2.0 * (std::pow(2.0, double(bits)) - 1) / 3); }

// The level of one dimension whose bits, most significant first, are `index` (`count` of them).
double level_of(int64_t index, int64_t count) {
  double level = 0;
  for (int64_t j = count - 1; j >= 0; j--) {
    const double sign = 1 - 2 * double((index >> (count - 1 - j)) & 1);
    level = sign * (std::pow(2.0, double(count - 1 - j)) - level);
  }
  return level;
}

// bits [B, n, ...] of one dimension -> unscaled levels [B, ...].
at::Tensor levels(const at::Tensor& signs, int64_t first, int64_t count) {
  at::Tensor level;
  for (int64_t j = count - 1; j >= 0; j--) {
    const at::Tensor sign = signs.select(1, first + 2 * j);
    level = level.defined() ? sign * (std::pow(2.0, double(count - 1 - j)) - level) : sign;
  }
  return level;
}

}  // namespace

int64_t bits_per_symbol(std::string_view modulation) {
  if (modulation == "qpsk") return 2;
  if (modulation == "16qam") return 4;
  if (modulation == "64qam") return 6;
  SPIKINGRX_CHECK(false, "ERR_RANGE", "modulation must be qpsk, 16qam or 64qam, got ", modulation);
}

at::Tensor constellation(std::string_view modulation) {
  const int64_t bits = bits_per_symbol(modulation), count = bits / 2;
  at::Tensor points = at::empty({int64_t{1} << bits, 2}, at::kDouble);
  double* out = points.mutable_data_ptr<double>();
  for (int64_t index = 0; index < points.size(0); index++) {
    int64_t parts[2] = {0, 0};
    for (int64_t j = 0; j < bits; j++) parts[j % 2] = parts[j % 2] * 2 + ((index >> (bits - 1 - j)) & 1);
    for (int64_t d = 0; d < 2; d++) out[2 * index + d] = level_of(parts[d], count) / scale_of(bits);
  }
  return points;
}

at::Tensor map_bits(const at::Tensor& bits, std::string_view modulation) {
  check_real("bits", bits);
  const int64_t order = bits_per_symbol(modulation);
  SPIKINGRX_CHECK(bits.dim() >= 2 && bits.size(1) == order, "ERR_SHAPE", "bits must have shape [batch, ", order,
                  ", ...] for ", modulation, ", got ", bits.sizes());
  const at::Tensor signs = 1 - 2 * bits;
  return at::stack({levels(signs, 0, order / 2), levels(signs, 1, order / 2)}, -1).div_(scale_of(order));
}

at::Tensor demap(const at::Tensor& symbols, const at::Tensor& noise, std::string_view modulation,
                 std::string_view method) {
  check_real("symbols", symbols);
  check_alike("noise", noise, symbols);
  const int64_t order = bits_per_symbol(modulation), count = order / 2;
  SPIKINGRX_CHECK(method == "app" || method == "maxlog", "ERR_RANGE", "method must be app or maxlog, got ", method);
  SPIKINGRX_CHECK(
      symbols.dim() >= 2 && symbols.size(-1) == 2 && noise.sizes() == symbols.sizes().slice(0, symbols.dim() - 1),
      "ERR_SHAPE", "symbols must have shape [batch, ..., 2] and noise that without the last axis, got ",
      symbols.sizes(), " and ", noise.sizes());
  const double scale = scale_of(order);
  const at::Tensor parts = symbols.movedim(-1, 1);  // [B, 2, ...]
  const at::Tensor precision = noise.unsqueeze(1).reciprocal();
  if (count == 1) return (parts * (precision * (-4 / scale))).contiguous();  // both methods are this line

  // Exponents -(z - level)^2 / noise of each level, [B, 2, ...]; the two dimensions are independent.
  std::vector<at::Tensor> exponents;
  for (int64_t index = 0; index < int64_t{1} << count; index++)
    exponents.push_back((parts - level_of(index, count) / scale).square_().mul_(precision).neg_());
  std::vector<at::Tensor> llrs;  // of bit 2 j + dimension: [B, 2, ...] for each j
  for (int64_t j = 0; j < count; j++) {
    std::vector<at::Tensor> sides[2];
    for (int64_t index = 0; index < int64_t{1} << count; index++)
      sides[(index >> (count - 1 - j)) & 1].push_back(exponents[index]);
    const auto join = [&](const std::vector<at::Tensor>& side) {
      return method == "app" ? at::logsumexp(at::stack(side, 0), {0}) : at::amax(at::stack(side, 0), {0});
    };
    llrs.push_back(join(sides[1]) - join(sides[0]));
  }
  return at::stack(llrs, 1).flatten(1, 2);  // [B, count, 2, ...] -> [B, bits, ...]
}

}  // namespace spikingrx::link
