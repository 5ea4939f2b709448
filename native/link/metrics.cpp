#include "link/metrics.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/nonzero.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/zeros.h>

#include "link/arguments.h"
#include "link/grid.h"

namespace spikingrx::link {
namespace {

at::Tensor data_positions(const at::Tensor& kinds) { return at::nonzero(kinds.flatten() == kData).flatten(); }

void check_kinds(const at::Tensor& kinds) {
  SPIKINGRX_CHECK(kinds.dim() == 2 && kinds.scalar_type() == at::kByte, "ERR_TYPE",
                  "kinds must be uint8 [symbols, subcarriers], got ", kinds.dtype(), " ", kinds.sizes());
}

// The data elements of [B, bits, S, K], [B, bits, n].
at::Tensor data_of(const char* name, const at::Tensor& grid, const at::Tensor& kinds) {
  check_kinds(kinds);
  check_axes(name, grid, 4);
  check_grid("kinds", kinds, grid.size(2), grid.size(3));
  return at::index_select(grid.flatten(2), 2, data_positions(kinds));
}

void check_same(const at::Tensor& llrs, const at::Tensor& bits) {
  check_alike("bits", bits, llrs);
  SPIKINGRX_CHECK(llrs.sizes() == bits.sizes(), "ERR_SHAPE", "bits must have the LLRs' shape ", llrs.sizes(), ", got ",
                  bits.sizes());
}

}  // namespace

at::Tensor count_errors(const at::Tensor& llrs, const at::Tensor& bits, const at::Tensor& kinds) {
  check_same(llrs, bits);
  const at::Tensor decided = data_of("llrs", llrs, kinds) > 0;
  return (decided != (data_of("bits", bits, kinds) > 0.5)).sum({1, 2});
}

at::Tensor information(const at::Tensor& llrs, const at::Tensor& bits, const at::Tensor& kinds) {
  check_same(llrs, bits);
  const at::Tensor signs = 1 - 2 * data_of("bits", bits, kinds);
  const at::Tensor nats = at::softplus(signs * data_of("llrs", llrs, kinds));
  return 1 - nats.to(at::kDouble).mean({1, 2}) / std::log(2.0);
}

at::Tensor gather_data(const at::Tensor& grid, const at::Tensor& kinds) {
  return data_of("grid", grid, kinds).transpose(1, 2).flatten(1);
}

at::Tensor scatter_data(const at::Tensor& codeword, const at::Tensor& kinds, int64_t bits) {
  check_kinds(kinds);
  check_axes("codeword", codeword, 2);
  const at::Tensor positions = data_positions(kinds);
  SPIKINGRX_CHECK(bits > 0 && codeword.size(1) == positions.numel() * bits, "ERR_SHAPE", "the grid carries ",
                  positions.numel() * bits, " bits, got ", codeword.size(1));
  at::Tensor grid = at::zeros({codeword.size(0), bits, kinds.numel()}, codeword.options());
  grid.index_copy_(2, positions, codeword.unflatten(1, {positions.numel(), bits}).transpose(1, 2));
  return grid.unflatten(2, kinds.sizes());
}

}  // namespace spikingrx::link
