#include "snn/surrogate.h"

#include <ATen/Dispatch.h>
#include <ATen/OpMathType.h>
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/ge.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "error.h"
#include "snn/device_kernel.h"
#include "snn/once_differentiable.h"

namespace spikingrx {

namespace {

constexpr int64_t kGrain = 32768;  // elements a thread should have at least

void check_gradient(const at::Tensor& gradient, const at::Tensor& x) {
  SPIKINGRX_CHECK(gradient.sizes() == x.sizes() && gradient.scalar_type() == x.scalar_type(), "ERR_SHAPE",
                  "surrogate gradients must have the shape and dtype of their input, ", x.sizes(), ", got ",
                  gradient.sizes());
  SPIKINGRX_CHECK(gradient.device() == x.device(), "ERR_DEVICE", "surrogate gradients are on ", gradient.device(),
                  ", their input on ", x.device(), "; move them to the input's");
}

// grad_x = grad g(x), elementwise; bfloat16 and float16 compute in float.
at::Tensor surrogate_backward_cpu(const at::Tensor& gradient, const at::Tensor& x, int64_t kind, double parameter) {
  check_gradient(gradient, x);
  const at::Tensor values = x.contiguous(), upstream = gradient.contiguous();
  at::Tensor result = at::empty_like(values);
  AT_DISPATCH_FLOATING_TYPES_AND2(at::kBFloat16, at::kHalf, x.scalar_type(), "surrogate_backward", [&] {
    using Real = at::opmath_type<scalar_t>;
    const scalar_t *v = values.const_data_ptr<scalar_t>(), *g = upstream.const_data_ptr<scalar_t>();
    scalar_t* out = result.mutable_data_ptr<scalar_t>();
    with_surrogate_kind(static_cast<SurrogateKind>(kind), [&](auto constant) {
      at::parallel_for(0, values.numel(), kGrain, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++)
          out[i] = static_cast<scalar_t>(static_cast<Real>(g[i]) *
                                         surrogate_gradient<constant()>(static_cast<Real>(v[i]), Real(parameter)));
      });
    });
  });
  return result;
}

// The same by a plugin's kernel.
at::Tensor surrogate_backward_device(const at::Tensor& gradient, const at::Tensor& x, int64_t kind, double parameter) {
  check_gradient(gradient, x);
  static const auto op =
      device_operator<void(const at::Tensor&, const at::Tensor&, int64_t, double, const at::Tensor&)>(
          "spikingrx::surrogate_backward_out");
  check_kernel(op, x);
  const at::Tensor values = x.contiguous(), result = at::empty_like(values);
  op.call(gradient.contiguous(), values, kind, parameter, result);
  return result;
}

at::Tensor surrogate_backward(const at::Tensor& gradient, const at::Tensor& x, const Surrogate& surrogate) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("spikingrx::surrogate_backward", "")
                             .typed<at::Tensor(const at::Tensor&, const at::Tensor&, int64_t, double)>();
  return op.call(gradient, x, static_cast<int64_t>(surrogate.kind), surrogate.parameter);
}

struct SurrogateFunction : torch::autograd::Function<SurrogateFunction> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, int64_t kind,
                            double parameter) {
    at::AutoDispatchBelowADInplaceOrView below;
    context->save_for_backward({x});
    context->saved_data["kind"] = kind;
    context->saved_data["parameter"] = parameter;
    return x.ge(0).to(x.scalar_type());
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const Surrogate surrogate{static_cast<SurrogateKind>(context->saved_data["kind"].toInt()),
                              context->saved_data["parameter"].toDouble()};
    return once_differentiable("surrogate", [&]() -> torch::autograd::variable_list {
      return {surrogate_backward(gradients[0], context->get_saved_variables()[0], surrogate), {}, {}};
    });
  }
};

at::Tensor surrogate_operator(const at::Tensor& x, c10::string_view kind, double parameter) {
  return surrogate(x, parse_surrogate(std::string(kind), parameter));
}

}  // namespace

Surrogate parse_surrogate(const std::string& kind, double parameter) {
  SPIKINGRX_CHECK(std::isfinite(parameter) && parameter > 0, "ERR_RANGE",
                  "surrogate parameter must be positive and finite, got ", parameter);
  if (kind == "triangular") return {SurrogateKind::kTriangular, parameter};
  if (kind == "sigmoid") return {SurrogateKind::kSigmoid, parameter};
  if (kind == "atan") return {SurrogateKind::kAtan, parameter};
  if (kind == "fastSigmoid") return {SurrogateKind::kFastSigmoid, parameter};
  if (kind == "boxcar") return {SurrogateKind::kBoxcar, parameter};
  SPIKINGRX_CHECK(false, "ERR_RANGE", "surrogate must be triangular, sigmoid, atan, fastSigmoid or boxcar, got '", kind,
                  "'");
}

at::Tensor surrogate(const at::Tensor& x, const Surrogate& surrogate) {
  SPIKINGRX_CHECK(x.is_floating_point(), "ERR_TYPE", "surrogate expects a floating point tensor, got ", x.dtype());
  return SurrogateFunction::apply(x, static_cast<int64_t>(surrogate.kind), surrogate.parameter);
}

TORCH_LIBRARY_IMPL(spikingrx, CPU, library) { library.impl("surrogate_backward", &surrogate_backward_cpu); }
TORCH_LIBRARY_IMPL(spikingrx, CUDA, library) { library.impl("surrogate_backward", &surrogate_backward_device); }
TORCH_LIBRARY_IMPL(spikingrx, CompositeImplicitAutograd, library) { library.impl("surrogate", &surrogate_operator); }

}  // namespace spikingrx
