// Included once for each instruction set: SPIKINGRX_ISA names its namespace, SPIKINGRX_REGISTER gives the bytes of its
// registers, SPIKINGRX_SCAN_DOUBLE tells whether double is worth compiling for it; see lif_scan.h.
#include "snn/kernels/lif_backward.inl"
#include "snn/kernels/lif_forward.inl"

namespace spikingrx::SPIKINGRX_ISA {
namespace {

// Calls body(reset, delay) with both as compile-time constants; without a reset there is no delay.
template <class Body>
void with_reset(Reset reset, bool delay, Body&& body) {
  using Subtract = std::integral_constant<Reset, Reset::kSubtract>;
  using Zero = std::integral_constant<Reset, Reset::kZero>;
  using None = std::integral_constant<Reset, Reset::kNone>;
  if (reset == Reset::kNone) return body(None{}, std::false_type{});
  if (reset == Reset::kZero) return delay ? body(Zero{}, std::true_type{}) : body(Zero{}, std::false_type{});
  return delay ? body(Subtract{}, std::true_type{}) : body(Subtract{}, std::false_type{});
}

template <class Real>
void forward(const LifForwardTile<Real>& tile) {
  with_reset(tile.reset, tile.reset_delay, [&](auto reset, auto delay) {
    const bool with_trace = tile.trace || tile.membranes;
    forward_tile(tile, with_trace ? &forward_piece<reset(), delay(), true, Real>
                                  : &forward_piece<reset(), delay(), false, Real>);
  });
}

template <class Real>
void backward(const LifBackwardTile<Real>& tile) {
  with_reset(tile.reset, tile.reset_delay, [&](auto reset, auto delay) {
    with_surrogate_kind(tile.surrogate.kind, [&](auto kind) {
      backward_tile(tile, tile.grad_decay ? &backward_piece<reset(), delay(), kind(), true, Real>
                                          : &backward_piece<reset(), delay(), kind(), false, Real>);
      if constexpr (delay()) through_initial_spike<kind()>(tile);
    });
  });
}

}  // namespace

template <class Real>
LifScan<Real> lif_scan() {
  return {&forward<Real>, &backward<Real>};
}

template LifScan<float> lif_scan<float>();
#if SPIKINGRX_SCAN_DOUBLE
template LifScan<double> lif_scan<double>();
#endif

}  // namespace spikingrx::SPIKINGRX_ISA
