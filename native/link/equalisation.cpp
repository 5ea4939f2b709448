#include "link/equalisation.h"

#include <ATen/TensorOperators.h>

#include <vector>

#include "link/arguments.h"

namespace spikingrx::link {

std::tuple<at::Tensor, at::Tensor> equalise(const at::Tensor& received, const at::Tensor& estimate,
                                            const at::Tensor& error, const at::Tensor& noise_power,
                                            std::string_view method) {
  check_pairs("received", received, 4);
  check_pairs("estimate", estimate, 4);
  check_axes("error", error, 4);
  for (const auto& [name, tensor] : {std::pair{"estimate", estimate}, {"error", error}, {"noise_power", noise_power}})
    check_alike(name, tensor, received);
  check_per_sample("noise_power", noise_power, received.size(0));
  SPIKINGRX_CHECK(method == "zf" || method == "lmmse", "ERR_RANGE", "equalisation must be zf or lmmse, got ", method);
  SPIKINGRX_CHECK((estimate.size(0) == received.size(0) || estimate.size(0) == 1) &&
                      estimate.sizes().slice(1) == received.sizes().slice(1),
                  "ERR_SHAPE", "the estimate must have the received grid's shape ", received.sizes(), ", got ",
                  estimate.sizes());
  for (int64_t axis = 0; axis < 4; axis++)
    SPIKINGRX_CHECK(error.size(axis) == 1 || error.size(axis) == received.size(axis), "ERR_SHAPE",
                    "the error variance must broadcast to ", received.sizes(), " without the last axis, got ",
                    error.sizes());
  constexpr double kTiny = 1e-30;  // an element that nothing reaches gets noise without end, not NaN
  const at::Tensor h = as_complex(estimate), y = as_complex(received);
  const at::Tensor energy = estimate.square().sum(-1);
  const at::Tensor noise = error + noise_power.view({-1, 1, 1, 1});
  const at::Tensor matched = h.conj() * y;
  const std::vector<int64_t> elements{received.size(0), received.size(2), received.size(3)};
  if (method == "zf") {
    const at::Tensor gain = energy.sum(1).clamp_min_(kTiny);
    const at::Tensor after = (energy * noise).sum(1) / gain / gain;
    return {as_pairs(matched.sum(1) / gain), after.expand(elements).contiguous()};
  }
  const at::Tensor gain = (energy / noise).sum(1).clamp_min_(kTiny);
  return {as_pairs((matched / noise).sum(1) / gain), gain.reciprocal().expand(elements).contiguous()};
}

}  // namespace spikingrx::link
