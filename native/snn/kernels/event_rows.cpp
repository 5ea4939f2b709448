#include "snn/kernels/event_rows.h"

#include "snn/kernels/event_rows_sets.h"
#include "snn/kernels/instruction_set.h"

namespace spikingrx {

const EventKernels& event_kernels() {
#if defined(__x86_64__)
  if (instruction_set() == InstructionSet::kV4) return v4::event_kernels;
  if (instruction_set() == InstructionSet::kV3) return v3::event_kernels;
#endif
  return portable::event_kernels;
}

}  // namespace spikingrx
