// The operators of namespace spikingrx, by schema. CPU kernels are registered beside their code. What ends in _out
// writes into tensors that its caller made (lif_device.cpp and others): for CUDA the plugin spikingrx_cuda.so has these
// kernels.
//
// lif_forward's `states` are what it keeps for backward, by `keep` (LifKeep in lif_shape.h); lif_backward's gradients
// of decay and threshold are empty without parameter_gradients.
#include <torch/library.h>

TORCH_LIBRARY(spikingrx, library) {
  library.def("surrogate(Tensor x, str kind, float parameter) -> Tensor");
  library.def("surrogate_backward(Tensor gradient, Tensor x, int kind, float parameter) -> Tensor");
  library.def("surrogate_backward_out(Tensor gradient, Tensor x, int kind, float parameter, Tensor(a!) grad_x) -> ()");

  library.def(
      "lif(Tensor current, Tensor decay, Tensor threshold, Tensor? membrane=None, *, int steps=0, bool "
      "decay_input=True, "
      "str reset=\"subtract\", bool reset_delay=False, bool detach_reset=False, str surrogate=\"triangular\", "
      "float surrogate_parameter=1., bool trace=False, str membranes=\"auto\") "
      "-> (Tensor spikes, Tensor membrane, Tensor trace)");
  library.def(
      "lif_forward(Tensor current, Tensor decay, Tensor threshold, Tensor? membrane, int steps, bool decay_input, "
      "int reset, bool reset_delay, bool trace, int keep=0) "
      "-> (Tensor spikes, Tensor membrane, Tensor trace, Tensor states)");
  library.def(
      "lif_backward(Tensor? grad_spikes, Tensor? grad_membrane, Tensor? grad_trace, Tensor current, Tensor decay, "
      "Tensor threshold, Tensor? membrane, int steps, bool decay_input, int reset, bool reset_delay, bool "
      "detach_reset, "
      "int surrogate, float surrogate_parameter, bool parameter_gradients, Tensor? states=None) "
      "-> (Tensor grad_current, Tensor grad_membrane, Tensor grad_decay, Tensor grad_threshold)");
  // Views [B, T, N]; decay and threshold 0-d (also on the CPU) or [C], in the computing type.
  library.def(
      "lif_forward_out(Tensor current, Tensor decay, Tensor threshold, Tensor? initial, bool decay_input, int reset, "
      "bool reset_delay, Tensor(a!)? spikes, Tensor(b!) membrane, Tensor(c!)? trace, Tensor(d!)? states, int steps) "
      "-> ()");
  library.def(
      "lif_backward_out(Tensor? grad_spikes, Tensor? grad_membrane, Tensor? grad_trace, Tensor current, Tensor decay, "
      "Tensor threshold, Tensor? initial, Tensor? states, bool decay_input, int reset, bool reset_delay, bool "
      "detach_reset, int surrogate, float surrogate_parameter, Tensor(a!) grad_current, Tensor(b!) grad_initial, "
      "Tensor(c!)? grad_decay, Tensor(d!)? grad_threshold, int steps) -> ()");
  library.def(
      "leaky_integrate(Tensor current, Tensor decay, Tensor? membrane=None, *, int steps=0, bool decay_input=True) "
      "-> (Tensor trace, Tensor membrane)");

  library.def("conv_block(Tensor input, Tensor weight, Tensor? bias, int[2] stride=1, int[2] padding=1) -> Tensor");
  library.def(
      "spike_norm(Tensor input, Tensor gamma, Tensor beta, Tensor(a!) running_mean, Tensor(b!) running_variance, "
      "bool training, float momentum=0.1, float epsilon=1e-5) -> Tensor");
  library.def(
      "spike_norm_update(Tensor(a!) running_mean, Tensor(b!) running_variance, Tensor mean, Tensor variance, "
      "float momentum, int repeats) -> ()");
  library.def(
      "norm_lif(Tensor input, Tensor gamma, Tensor beta, Tensor(a!) running_mean, Tensor(b!) running_variance, "
      "Tensor decay, Tensor threshold, Tensor? membrane=None, *, bool training, float momentum=0.1, float "
      "epsilon=1e-5, "
      "bool decay_input=True, str reset=\"subtract\", bool reset_delay=False, bool detach_reset=False, "
      "str surrogate=\"triangular\", float surrogate_parameter=1.) -> (Tensor spikes, Tensor membrane)");
  library.def("sew_connect(Tensor main, Tensor shortcut, str connect=\"add\") -> Tensor");

  library.def(
      "neuron_euler(Tensor neurons, Tensor edges, Tensor start, Tensor slope, Tensor initial, int rows, float "
      "duration, "
      "float dt, int trace_every=0) -> (Tensor counts, Tensor times, Tensor voltage)");
  library.def(
      "neuron_exact(Tensor neurons, Tensor edges, Tensor start, Tensor slope, Tensor initial, int rows, float "
      "duration, "
      "float sampling=0., int most_spikes=10000000) -> (Tensor counts, Tensor times, Tensor voltage)");
  library.def("correlated_noise(int samples, int columns, float ratio, int seed) -> Tensor");
}
