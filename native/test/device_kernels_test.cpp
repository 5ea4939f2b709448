// The CUDA plugin, run on the CPU thread by thread (device_kernels.h), against the CPU operators: the same bits.
#include "device_kernels.h"

#include "check.h"
#include "snn/lif_device.h"
#include "support.h"

using namespace spikingrx;

namespace {

struct Case {
  at::ScalarType dtype = at::kFloat;
  std::vector<int64_t> shape = {3, 7, 8};  // of the current
  int64_t steps = 0;
  at::Tensor decay = at::scalar_tensor(0.8, at::kFloat), threshold = at::scalar_tensor(0.6, at::kFloat);
  bool initial = true, decay_input = true, reset_delay = false, detach_reset = false, trace = true, learn = true;
  bool keep_states = true;
  Reset reset = Reset::kSubtract;
  Surrogate surrogate = {};
};

bool same(const at::Tensor& a, const at::Tensor& b) {
  return a.sizes() == b.sizes() && a.scalar_type() == b.scalar_type() && at::equal(a, b);
}

// Spikes, membrane, trace and all gradients of both, bit for bit; `what` names the case.
void compare(const Case& c, const std::string& what) {
  const at::Tensor current = support::normal(c.shape, 1, at::kDouble).mul(2).to(c.dtype);
  auto state_shape = c.shape, full = c.shape;
  state_shape.erase(state_shape.begin() + 1);
  if (c.steps > 0) full[1] = c.steps;
  const bool wide = c.dtype == at::kDouble;
  const auto real = wide ? at::kDouble : at::kFloat;
  const at::Tensor decay = wide ? c.decay.to(real) : c.decay, threshold = wide ? c.threshold.to(real) : c.threshold;
  const std::optional<at::Tensor> initial =
      c.initial ? std::optional(support::normal(state_shape, 2, real)) : std::nullopt;
  const auto reset = static_cast<int64_t>(c.reset), kind = static_cast<int64_t>(c.surrogate.kind);

  const auto forward = c10::Dispatcher::singleton().findSchemaOrThrow("spikingrx::lif_forward", "");
  torch::jit::Stack stack;
  torch::jit::push(stack, current, decay, threshold, initial, c.steps, c.decay_input, reset, c.reset_delay, c.trace,
                   static_cast<int64_t>(c.keep_states));
  forward.callBoxed(stack);
  const auto [spikes, membrane, trace, states] = lif_forward_device(
      current, decay, threshold, initial, c.steps, c.decay_input, reset, c.reset_delay, c.trace, c.keep_states);
  if (!same(spikes, stack[0].toTensor())) check::fail(__FILE__, __LINE__, what, ": spikes differ");
  if (!same(membrane, stack[1].toTensor())) check::fail(__FILE__, __LINE__, what, ": membrane differs");
  if (!same(trace, stack[2].toTensor())) check::fail(__FILE__, __LINE__, what, ": trace differs");

  const at::Tensor grad_spikes = support::normal(full, 3, c.dtype),
                   grad_membrane = support::normal(state_shape, 4, real);
  const std::optional<at::Tensor> grad_trace =
      c.trace ? std::optional(support::normal(full, 5, c.dtype)) : std::nullopt;
  const auto backward = c10::Dispatcher::singleton().findSchemaOrThrow("spikingrx::lif_backward", "");
  stack.clear();
  torch::jit::push(stack, grad_spikes, grad_membrane, grad_trace, current, decay, threshold, initial, c.steps,
                   c.decay_input, reset, c.reset_delay, c.detach_reset, kind, c.surrogate.parameter, c.learn,
                   c10::IValue());
  backward.callBoxed(stack);
  const auto [a, b, d, h] =
      lif_backward_device(grad_spikes, grad_membrane, grad_trace, current, decay, threshold, initial, c.steps,
                          c.decay_input, reset, c.reset_delay, c.detach_reset, kind, c.surrogate.parameter, c.learn,
                          c.keep_states ? std::optional(states) : std::nullopt);
  const char* names[] = {"current", "membrane", "decay", "threshold"};
  const at::Tensor gradients[] = {a, b, d, h};
  for (int i = 0; i < 4; i++)
    if (!same(gradients[i], stack[i].toTensor()))
      check::fail(__FILE__, __LINE__, what, ": gradient of the ", names[i], " differs by ",
                  (gradients[i] - stack[i].toTensor()).abs().max().item<double>());
}

// One neuron a thread and, where the row fits, the widest pack.
void compare_widths(const Case& c, const std::string& what) {
  for (const bool vectors : {false, true}) {
    emulated::allow_packs = vectors;
    compare(c, what + (vectors ? ", packs" : ", single"));
  }
}

template <class Body>
void each_option(Body&& body) {
  for (const auto reset : {Reset::kSubtract, Reset::kZero, Reset::kNone})
    for (const bool delay : {false, true})
      for (const bool detach : {false, true})
        for (const bool decay_input : {false, true}) {
          Case c;
          c.reset = reset, c.reset_delay = delay, c.detach_reset = detach, c.decay_input = decay_input;
          body(c, std::string("reset ") + std::to_string(static_cast<int>(reset)) + (delay ? " delayed" : "") +
                      (detach ? " detached" : "") + (decay_input ? "" : " undecayed"));
        }
}

constexpr at::ScalarType kTypes[] = {at::kFloat, at::kDouble, at::kBFloat16, at::kHalf};

}  // namespace

TEST("every reset, delay, detach, gain, dtype and surrogate; T over several chunks") {
  each_option([](Case c, const std::string& what) {
    for (const auto dtype : kTypes)
      for (int kind = 0; kind < 5; kind++) {
        c.dtype = dtype;
        c.surrogate = {static_cast<SurrogateKind>(kind), kind == 4 ? 0.5 : 1.7};
        c.shape = {2, 37, 16};
        c.learn = c.trace = (kind % 2 == 0);
        compare_widths(c, what + " " + c10::toString(dtype) + " surrogate " + std::to_string(kind));
      }
  });
}

TEST("values by channel: one kind, the other, both; packs that span channels") {
  each_option([](Case c, const std::string& what) {
    const at::Tensor decays = at::tensor({0.5f, 0.9f, 0.f, 0.7f}), thresholds = at::tensor({0.4f, 1.f, 0.7f, 0.2f});
    for (const auto& shape : std::vector<std::vector<int64_t>>{{2, 5, 4, 3, 2}, {2, 5, 4, 1, 1}, {2, 20, 4}})
      for (int by_channel = 1; by_channel < 4; by_channel++)
        for (const auto dtype : {at::kFloat, at::kBFloat16}) {
          Case one = c;
          one.shape = shape, one.dtype = dtype;
          if (by_channel & 1) one.decay = decays;
          if (by_channel & 2) one.threshold = thresholds;
          compare_widths(one, what + " by channel " + std::to_string(by_channel));
        }
  });
}

TEST("a constant current over steps; steps of each remainder; no trace, no initial membrane, nothing learnt") {
  each_option([](Case c, const std::string& what) {
    for (const int64_t steps : {1, 2, 3, 9, 15, 16, 17, 31, 32, 33, 64})
      for (const bool constant : {false, true}) {
        Case one = c;
        one.shape = {2, constant ? 1 : steps, 12};
        one.steps = constant ? steps : 0;
        one.initial = steps % 2 == 0;
        one.trace = steps % 3 == 0;
        one.learn = steps < 17;
        compare_widths(one, what + " steps " + std::to_string(steps) + (constant ? " constant" : ""));
      }
  });
}

TEST("odd widths, one neuron, many samples; empty batches, neurons and steps") {
  for (const auto& shape : std::vector<std::vector<int64_t>>{
           {1, 4, 1}, {5, 4, 3}, {2, 4, 1023}, {300, 2, 4}, {3, 4, 2, 3, 5}, {0, 5, 4}, {2, 5, 0}, {2, 0, 4}})
    for (const auto dtype : kTypes)
      for (const bool learn : {false, true}) {
        Case c;
        c.shape = shape, c.dtype = dtype, c.learn = learn;
        compare_widths(c, "shape " + std::to_string(shape[0]) + "x" + std::to_string(shape[2]));
      }
}

TEST("backward makes the states itself where forward kept none, and a misaligned current takes single neurons") {
  for (const int64_t steps : {16, 17, 50}) {
    Case c;
    c.shape = {2, steps, 8}, c.keep_states = false;
    compare_widths(c, "without states " + std::to_string(steps));
  }
  emulated::allow_packs = true;
  const at::Tensor base = support::normal({1 + 2 * 20 * 8}, 6, at::kFloat),
                   shifted = base.narrow(0, 1, 320).view({2, 20, 8});
  const at::Tensor decay = at::scalar_tensor(0.8, at::kFloat), threshold = at::scalar_tensor(0.3, at::kFloat);
  const auto run = [&](const at::Tensor& current) {
    const int64_t before = emulated::pack_launches;
    const auto out = lif_forward_device(current, decay, threshold, {}, 0, true, 0, false, false, false);
    return std::pair(std::get<0>(out), emulated::pack_launches - before);
  };
  const auto aligned = run(shifted.clone()), misaligned = run(shifted);
  EXPECT_EQ(aligned.second, 1);
  EXPECT_EQ(misaligned.second, 0);
  EXPECT(at::equal(aligned.first, misaligned.first));
}

TEST("the place of a thread beyond 2^32 threads") {
  cuda::LifForwardArguments a{};
  a.batch = 70000, a.neurons = int64_t{1} << 20;  // 7.3e10 neurons
  for (const int64_t sample : {int64_t{0}, int64_t{4097}, int64_t{69999}}) {
    const auto place = cuda::place_of<4>(a, sample * (a.neurons / 4) + 262143);
    EXPECT_EQ(place.sample, sample);
    EXPECT_EQ(place.first, a.neurons - 4);
  }
  a.batch = 4095;
  const auto place = cuda::place_of<1>(a, 4094 * a.neurons + 77);
  EXPECT_EQ(place.sample, 4094);
  EXPECT_EQ(place.first, 77);
}

TEST("one value of decay and threshold on the device; the wrong memory is refused") {
  emulated::scalars_on_device = true;
  each_option([](const Case& c, const std::string& what) { compare_widths(c, what + " scalars on the device"); });
  emulated::scalars_on_device = false;
  const auto op = c10::Dispatcher::singleton().findSchemaOrThrow("spikingrx::lif_forward_out", "");
  const auto call = [&](const at::Tensor& spikes, const at::Tensor& decay) {
    torch::jit::Stack stack;
    const c10::IValue none;
    torch::jit::push(stack, at::zeros({2, 3, 4}), decay, at::scalar_tensor(1., at::kFloat), none, true, 0, false,
                     spikes, at::zeros({2, 4}), none, none, 3);
    op.callBoxed(stack);
  };
  const at::Tensor decay = at::scalar_tensor(0.9, at::kFloat);
  call(at::zeros({2, 3, 4}), decay);
  EXPECT_THROWS(call(at::zeros({2, 2, 4}), decay),
                "ERR_TORCH: the CUDA kernels were called with a tensor of another size");
  EXPECT_THROWS(call(at::zeros({2, 3, 4}, at::kDouble), decay), "a tensor of another layout or type");
  EXPECT_THROWS(call(at::zeros({2, 4, 3}).transpose(1, 2), decay), "a tensor of another layout or type");
  EXPECT_THROWS(call(at::zeros({2, 3, 4}), decay.to(at::kDouble)), "decay or threshold of another type or place");
}

TEST("the surrogate's product, with a rest") {
  const auto op = c10::Dispatcher::singleton().findSchemaOrThrow("spikingrx::surrogate_backward", "");
  const auto into = c10::Dispatcher::singleton().findSchemaOrThrow("spikingrx::surrogate_backward_out", "");
  for (const auto dtype : kTypes)
    for (int64_t kind = 0; kind < 5; kind++)
      for (const int64_t count : {0, 1, 7, 16, 1029}) {
        const at::Tensor gradient = support::normal({count}, 7, dtype), x = support::normal({count}, 8, dtype);
        const at::Tensor result = at::empty_like(x);
        torch::jit::Stack stack;
        torch::jit::push(stack, gradient, x, kind, 1.3, result);
        into.callBoxed(stack);
        stack.clear();
        torch::jit::push(stack, gradient, x, kind, 1.3);
        op.callBoxed(stack);
        EXPECT_CLOSE(result, stack[0].toTensor(), dtype == at::kDouble ? 1e-15 : 1e-7);
      }
}

TEST("running statistics over all steps at once are those of one update a step") {
  const auto op = c10::Dispatcher::singleton().findSchemaOrThrow("spikingrx::spike_norm_update", "");
  for (const auto dtype : kTypes)
    for (const bool by_step : {false, true})
      for (const int64_t repeats : {1, 3}) {
        const at::Tensor mean = support::normal({5, 19}, 9, dtype),
                         variance = support::normal({5, 19}, 10, dtype).abs();
        const auto shape = by_step ? std::vector<int64_t>{5 * repeats, 19} : std::vector<int64_t>{19};
        const at::Tensor a = support::normal(shape, 11, dtype), b = support::normal(shape, 12, dtype).abs();
        const at::Tensor running_mean = a.clone(), running_variance = b.clone();
        torch::jit::Stack stack;
        torch::jit::push(stack, running_mean, running_variance, mean, variance, 0.1, repeats);
        op.callBoxed(stack);
        stack.clear();
        torch::jit::push(stack, a, b, mean, variance, 0.1, repeats);
        op.callBoxedForDispatchKey(c10::DispatchKey::CUDA, stack);
        // libtorch rounds momentum to bfloat16 and float16 there.
        const double tolerance = dtype == at::kDouble  ? 1e-15
                                 : dtype == at::kFloat ? 1e-6
                                 : dtype == at::kHalf  ? 1e-2
                                                       : 5e-2;
        EXPECT_CLOSE(a, running_mean, tolerance);
        EXPECT_CLOSE(b, running_variance, tolerance);
      }
}

CHECK_MAIN()
