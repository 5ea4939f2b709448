// spikingrx::ldpc_encode (kernels/encode.h).
#include "link/ldpc/kernels/encode.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <cstring>

#include "link/ldpc/arguments.h"

namespace spikingrx::ldpc {
namespace {

// bits [..., K'] -> code words [..., columns x lifting], with the punctured bits and zeros for filler.
at::Tensor ldpc_encode(const at::Tensor& bits, int64_t graph, int64_t lifting) {
  const at::Tensor input = checked_bits(bits, "ldpc_encode");
  const int64_t information = input.size(-1);
  const Code code = checked_code(graph, lifting, information, "ldpc_encode");
  at::Tensor output = at::empty(with_last(input, code.length()), input.options());
  const uint8_t* from = input.const_data_ptr<uint8_t>();
  uint8_t* to = output.mutable_data_ptr<uint8_t>();
  at::parallel_for(0, words_of(input), std::max<int64_t>(1, 4096 / lifting), [&](int64_t begin, int64_t end) {
    std::vector<uint8_t> filled(code.information());
    for (int64_t word = begin; word < end; word++) {
      std::memcpy(filled.data(), from + word * information, information);
      encode(code, filled.data(), to + word * code.length());
    }
  });
  return output;
}

}  // namespace

TORCH_LIBRARY_IMPL(spikingrx, CompositeExplicitAutograd, library) { library.impl("ldpc_encode", &ldpc_encode); }

}  // namespace spikingrx::ldpc
