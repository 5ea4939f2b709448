#include "link/ldpc/arguments.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <string>

#include "error.h"

namespace spikingrx::ldpc {

at::Tensor checked_bits(const at::Tensor& bits, const char* owner) {
  SPIKINGRX_CHECK(bits.dim() >= 1, "ERR_SHAPE", owner, " expects bits of shape [..., n], got a tensor without axes");
  at::Tensor bytes = bits.to(at::kCPU, at::kByte).contiguous();
  const uint8_t* values = bytes.const_data_ptr<uint8_t>();
  uint8_t seen = 0;
  for (int64_t i = 0; i < bytes.numel(); i++) seen |= values[i];
  // The conversion above cuts 0.5 to 0, and -1 or 257 to a byte.
  const bool exact = bits.scalar_type() == at::kByte || bits.scalar_type() == at::kBool ||
                     (bits.cpu() == bytes.to(bits.scalar_type())).all().item<bool>();
  SPIKINGRX_CHECK(seen <= 1 && exact, "ERR_RANGE", owner, " expects bits of 0 and 1, got another value");
  return bytes;
}

at::Tensor checked_llr(const at::Tensor& llr, const char* owner) {
  SPIKINGRX_CHECK(llr.dim() >= 1, "ERR_SHAPE", owner, " expects LLRs of shape [..., n], got a tensor without axes");
  SPIKINGRX_CHECK(at::isFloatingType(llr.scalar_type()), "ERR_TYPE", owner, " expects floating-point LLRs, got ",
                  llr.scalar_type());
  return llr.to(at::kCPU, at::kFloat).contiguous();
}

Code checked_code(int64_t graph, int64_t lifting, int64_t information, const char* owner) {
  SPIKINGRX_CHECK(graph == 1 || graph == 2, "ERR_RANGE", owner, " expects base graph 1 or 2, got ", graph);
  SPIKINGRX_CHECK(lifting_set(lifting) >= 0, "ERR_RANGE", owner,
                  " expects a lifting size of TS 38.212, table 5.3.2-1 (2 to 384), got ", lifting);
  Code code = lift(graph, lifting);
  SPIKINGRX_CHECK(information >= 1 && information <= code.information(), "ERR_RANGE", owner, " expects 1 to ",
                  code.information(), " information bits with base graph ", graph, " and lifting size ", lifting,
                  ", got ", information);
  return code;
}

const CrcPolynomial& checked_polynomial(std::string_view name, const char* owner) {
  const CrcPolynomial* found = crc_polynomial(std::string(name).c_str());
  SPIKINGRX_CHECK(found, "ERR_ARGUMENT", owner,
                  " knows the polynomials crc24a, crc24b, crc24c, crc16, crc11, crc6, got ", name);
  return *found;
}

std::vector<int64_t> with_last(const at::Tensor& tensor, int64_t last) {
  std::vector<int64_t> shape = tensor.sizes().vec();
  shape.back() = last;
  return shape;
}

int64_t words_of(const at::Tensor& tensor) {
  int64_t words = 1;
  for (int64_t axis = 0; axis + 1 < tensor.dim(); axis++) words *= tensor.size(axis);
  return words;
}

}  // namespace spikingrx::ldpc
