#include "snn/sew.h"

#include <ATen/TensorOperators.h>
#include <torch/library.h>

#include "error.h"

namespace spikingrx {

Connect parse_connect(const std::string& connect) {
  if (connect == "add") return Connect::kAdd;
  if (connect == "and") return Connect::kAnd;
  if (connect == "iand") return Connect::kIand;
  if (connect == "mean") return Connect::kMean;
  SPIKINGRX_CHECK(false, "ERR_RANGE", "connect must be add, and, iand or mean, got '", connect, "'");
}

at::Tensor sew_connect(const at::Tensor& main, const at::Tensor& shortcut, Connect connect) {
  SPIKINGRX_CHECK(main.sizes() == shortcut.sizes(), "ERR_SHAPE", "sewConnect needs two inputs of one shape, got ",
                  main.sizes(), " and ", shortcut.sizes());
  switch (connect) {
    case Connect::kAnd:
      return main * shortcut;
    case Connect::kIand:
      return shortcut * (1 - main);
    case Connect::kMean:
      return (main + shortcut) * 0.5;
    case Connect::kAdd:
    default:
      return main + shortcut;
  }
}

namespace {
at::Tensor sew_connect_operator(const at::Tensor& main, const at::Tensor& shortcut, c10::string_view connect) {
  return sew_connect(main, shortcut, parse_connect(std::string(connect)));
}
}  // namespace

TORCH_LIBRARY_IMPL(spikingrx, CompositeImplicitAutograd, library) {
  library.impl("sew_connect", &sew_connect_operator);
}

}  // namespace spikingrx
