// Kernels are compiled for several instruction sets (files named *_v3.cpp and *_v4.cpp, see CMakeLists.txt); what this
// processor has chooses among them, once.
#pragma once
#include "api.h"

namespace spikingrx {

enum class InstructionSet {
  kPortable,
  kV3,  // x86-64-v3: AVX2, FMA, F16C, BMI
  kV4,  // x86-64-v4: AVX-512 F, BW, CD, DQ, VL
};

SPIKINGRX_API InstructionSet instruction_set();

}  // namespace spikingrx
