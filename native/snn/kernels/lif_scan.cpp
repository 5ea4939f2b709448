#include "snn/kernels/instruction_set.h"
#include "snn/kernels/lif_scan_sets.h"

namespace spikingrx {

template <>
LifScan<float> lif_scan<float>() {
#if defined(__x86_64__)
  if (instruction_set() == InstructionSet::kV4) return v4::lif_scan<float>();
  if (instruction_set() == InstructionSet::kV3) return v3::lif_scan<float>();
#endif
  return portable::lif_scan<float>();
}

template <>
LifScan<double> lif_scan<double>() {
  return portable::lif_scan<double>();
}

}  // namespace spikingrx
