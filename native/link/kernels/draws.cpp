#include "link/kernels/draws.h"

#include "link/kernels/draws_sets.h"
#include "snn/kernels/instruction_set.h"

namespace spikingrx::link {

const DrawKernels& draw_kernels() {
  static const DrawKernels kernels = [] {
#if defined(__x86_64__)
    if (instruction_set() >= InstructionSet::kV3) return v3::draw_kernels();
#endif
    return portable::draw_kernels();
  }();
  return kernels;
}

}  // namespace spikingrx::link
