// Backward recomputes the membranes of this many steps at a time from the state that entered them, where the kernels
// keep membranes out of memory (native/cuda/lif_neuron.h): forward saves one state in kLifChunk steps.
#pragma once
#include <cstdint>

namespace spikingrx {

inline constexpr int64_t kLifChunk = 16;

// Chunks whose entering state is not the initial membrane.
constexpr int64_t saved_states(int64_t steps) { return steps > 0 ? (steps - 1) / kLifChunk : 0; }

}  // namespace spikingrx
