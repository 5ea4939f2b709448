#include "snn/kernels/step_norm.h"

#include "snn/kernels/instruction_set.h"

namespace spikingrx {

namespace portable {
StepNorm step_norm();
}
namespace v3 {
StepNorm step_norm();
}
namespace v4 {
StepNorm step_norm();
}

StepNorm step_norm() {
#if defined(__x86_64__)
  if (instruction_set() == InstructionSet::kV4) return v4::step_norm();
  if (instruction_set() == InstructionSet::kV3) return v3::step_norm();
#endif
  return portable::step_norm();
}

}  // namespace spikingrx
