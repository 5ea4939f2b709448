// Channel estimation from pilots: least squares at the pilots, spread over the grid.
//
//   h_p = y_p / x_p = H_p + n / x_p,   estimate = W h_p
//
// W is linear interpolation or the nearest pilot (here), or the minimum mean square error's (lmmse.h). Received grids
// are [B, R, S, K, 2]; pilots [S, K, 2], zero where there is none.
#pragma once
#include <ATen/core/Tensor.h>

#include <string_view>
#include <tuple>

namespace spikingrx::link {

// Positions of the pilots in the flattened grid, [P] int64 on the CPU. Refuses a grid without any.
at::Tensor pilot_positions(const at::Tensor& pilots);

// The weights W [P, S * K] in the type and on the device of the pilots.
//   "nearest": the pilot at the smallest |symbols| + |subcarriers| away
//   "linear": along the subcarriers of each symbol that has pilots, then along the symbols; beyond the outermost pilots
//   the value is held, or the line goes on with `extrapolate`
at::Tensor interpolation(const at::Tensor& pilots, std::string_view method, bool extrapolate);

// h_p: [B, R, P, 2]
at::Tensor least_squares(const at::Tensor& received, const at::Tensor& pilots);

// noise_power [B] or [1] -> the estimate [B, R, S, K, 2] and its error variance [B or 1, 1, S, K], the pilots' N0 /
// |x|^2 interpolated alike (what interpolation itself misses is not known to it).
std::tuple<at::Tensor, at::Tensor> interpolate_pilots(const at::Tensor& received, const at::Tensor& pilots,
                                                      const at::Tensor& weights, const at::Tensor& noise_power);

}  // namespace spikingrx::link
