#include "link/grid.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/fft_fft.h>
#include <ATen/ops/fft_ifft.h>
#include <ATen/ops/roll.h>

#include <vector>

#include "link/arguments.h"
#include "link/ldpc/kernels/scrambling.h"
#include "link/modulation.h"

namespace spikingrx::link {

at::Tensor reference_signal(int64_t symbol, int64_t slot, int64_t identity, int64_t scrambling, int64_t length) {
  SPIKINGRX_CHECK(symbol >= 0 && symbol < 14 && slot >= 0 && slot < 160, "ERR_RANGE",
                  "symbol must be in 0..13 and slot in 0..159, got ", symbol, " and ", slot);
  SPIKINGRX_CHECK(identity >= 0 && identity < 65536 && (scrambling == 0 || scrambling == 1) && length >= 0, "ERR_RANGE",
                  "identity must be in 0..65535 and scrambling 0 or 1, got ", identity, " and ", scrambling);
  const uint64_t initial = ((14 * slot + symbol + 1) * (2 * identity + 1) << 17) + 2 * identity + scrambling;
  std::vector<uint8_t> sequence(2 * length);
  ldpc::gold_sequence(static_cast<uint32_t>(initial & 0x7fffffffu), 2 * length, sequence.data());
  at::Tensor signal = at::empty({length, 2}, at::kDouble);
  double* out = signal.mutable_data_ptr<double>();
  for (int64_t i = 0; i < 2 * length; i++) out[i] = (1 - 2 * double(sequence[i])) * std::sqrt(0.5);
  return signal;
}

at::Tensor transmit(const at::Tensor& bits, const at::Tensor& pilots, const at::Tensor& kinds,
                    std::string_view modulation) {
  check_axes("bits", bits, 4);
  check_pairs("pilots", pilots, 2);
  check_alike("pilots", pilots, bits);
  SPIKINGRX_CHECK(kinds.dim() == 2 && kinds.scalar_type() == at::kByte, "ERR_TYPE",
                  "kinds must be uint8 [symbols, subcarriers], got ", kinds.dtype(), " ", kinds.sizes());
  check_grid("pilots", pilots, bits.size(2), bits.size(3));
  check_grid("kinds", kinds, bits.size(2), bits.size(3));
  const at::Tensor data = (kinds == kData).to(bits.scalar_type()).unsqueeze(-1);
  const at::Tensor known = pilots * (kinds == kPilot).to(bits.scalar_type()).unsqueeze(-1);
  return map_bits(bits, modulation).mul_(data).add_(known);
}

at::Tensor ofdm_modulate(const at::Tensor& grid, int64_t size, int64_t prefix) {
  check_real("grid", grid);
  SPIKINGRX_CHECK(grid.dim() >= 3 && grid.size(-1) == 2, "ERR_SHAPE",
                  "grid must have shape [..., symbols, subcarriers, 2], got ", grid.sizes());
  const int64_t subcarriers = grid.size(-2), below = subcarriers / 2;
  SPIKINGRX_CHECK(size >= subcarriers && prefix >= 0 && prefix <= size, "ERR_RANGE", "the transform must hold the ",
                  subcarriers, " subcarriers and the prefix, got size ", size, " and prefix ", prefix);
  const at::Tensor padded = at::constant_pad_nd(as_complex(grid), {0, size - subcarriers});
  const at::Tensor symbols = at::fft_ifft(at::roll(padded, {-below}, {-1}), std::nullopt, -1, "ortho");
  const at::Tensor cyclic = at::cat({symbols.narrow(-1, size - prefix, prefix), symbols}, -1);
  return as_pairs(cyclic.flatten(-2));
}

at::Tensor ofdm_demodulate(const at::Tensor& samples, int64_t symbols, int64_t subcarriers, int64_t size,
                           int64_t prefix) {
  check_real("samples", samples);
  SPIKINGRX_CHECK(size >= subcarriers && subcarriers > 0 && prefix >= 0 && symbols > 0, "ERR_RANGE",
                  "the transform must hold the subcarriers, got size ", size, " for ", subcarriers);
  SPIKINGRX_CHECK(samples.dim() >= 2 && samples.size(-1) == 2 && samples.size(-2) >= symbols * (size + prefix),
                  "ERR_SHAPE", "samples must have shape [..., at least ", symbols * (size + prefix), ", 2], got ",
                  samples.sizes());
  const at::Tensor slot = as_complex(samples.narrow(-2, 0, symbols * (size + prefix)));
  const at::Tensor bodies = slot.unflatten(-1, {symbols, size + prefix}).narrow(-1, prefix, size);
  const at::Tensor spectrum = at::roll(at::fft_fft(bodies, std::nullopt, -1, "ortho"), {subcarriers / 2}, {-1});
  return as_pairs(spectrum.narrow(-1, 0, subcarriers));
}

at::Tensor network_input(const at::Tensor& received, const at::Tensor& pilots) {
  check_pairs("received", received, 4);
  check_pairs("pilots", pilots, 2);
  check_alike("pilots", pilots, received);
  check_grid("pilots", pilots, received.size(2), received.size(3));
  SPIKINGRX_CHECK(received.size(1) == 1, "ERR_SHAPE", "the network reads one receive antenna, got ", received.size(1));
  const at::Tensor known = pilots.unsqueeze(0).expand_as(received.select(1, 0));
  return at::cat({received.select(1, 0), known}, -1).permute({0, 3, 1, 2}).contiguous();
}

}  // namespace spikingrx::link
