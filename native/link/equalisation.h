// One layer, R receive antennas: y = H x + n, with an estimate h of H whose error adds to the noise, v_r = N0 + e_r.
//
//   zf      x = sum h* y / sum |h|^2                    noise  sum |h|^2 v / (sum |h|^2)^2
//   lmmse   x = sum h* y / v / g,  g = sum |h|^2 / v    noise  1 / g
//
// lmmse is given without its bias, as a demapper wants it; for one layer it is maximum ratio combining, and with one
// antenna both are y / h.
#pragma once
#include <ATen/core/Tensor.h>

#include <string_view>
#include <tuple>

namespace spikingrx::link {

// received and estimate [B or 1, R, S, K, 2], error variance broadcast to [B, R, S, K], noise_power [B] or [1] ->
// symbols [B, S, K, 2] and the variance of their noise [B, S, K].
std::tuple<at::Tensor, at::Tensor> equalise(const at::Tensor& received, const at::Tensor& estimate,
                                            const at::Tensor& error, const at::Tensor& noise_power,
                                            std::string_view method);

}  // namespace spikingrx::link
