// The operators of namespace spikingrx, by schema. Kernels are registered beside their code; a CUDA plugin adds its
// own.
#include <torch/library.h>

TORCH_LIBRARY(spikingrx, library) {
  library.def("surrogate(Tensor x, str kind, float parameter) -> Tensor");
  library.def("surrogate_backward(Tensor gradient, Tensor x, int kind, float parameter) -> Tensor");

  library.def(
      "lif(Tensor current, Tensor decay, Tensor threshold, Tensor? membrane=None, *, int steps=0, bool "
      "decay_input=True, "
      "str reset=\"subtract\", bool reset_delay=False, bool detach_reset=False, str surrogate=\"triangular\", "
      "float surrogate_parameter=1., bool trace=False) -> (Tensor spikes, Tensor membrane, Tensor trace)");
  library.def(
      "lif_forward(Tensor current, Tensor decay, Tensor threshold, Tensor? membrane, int steps, bool decay_input, "
      "int reset, bool reset_delay, bool trace) -> (Tensor spikes, Tensor membrane, Tensor trace)");
  library.def(
      "lif_backward(Tensor? grad_spikes, Tensor? grad_membrane, Tensor? grad_trace, Tensor current, Tensor decay, "
      "Tensor threshold, Tensor? membrane, int steps, bool decay_input, int reset, bool reset_delay, bool "
      "detach_reset, "
      "int surrogate, float surrogate_parameter, bool parameter_gradients) "
      "-> (Tensor grad_current, Tensor grad_membrane, Tensor grad_decay, Tensor grad_threshold)");
  library.def(
      "leaky_integrate(Tensor current, Tensor decay, Tensor? membrane=None, *, int steps=0, bool decay_input=True) "
      "-> (Tensor trace, Tensor membrane)");

  library.def("conv_block(Tensor input, Tensor weight, Tensor? bias, int[2] stride=1, int[2] padding=1) -> Tensor");
  library.def(
      "spike_norm(Tensor input, Tensor gamma, Tensor beta, Tensor(a!) running_mean, Tensor(b!) running_variance, "
      "bool training, float momentum=0.1, float epsilon=1e-5) -> Tensor");
  library.def("sew_connect(Tensor main, Tensor shortcut, str connect=\"add\") -> Tensor");
}
