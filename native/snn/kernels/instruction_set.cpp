#include "snn/kernels/instruction_set.h"

#include <cstdlib>
#include <cstring>

namespace spikingrx {

InstructionSet instruction_set() {
#if defined(__x86_64__)
  static const InstructionSet set = [] {
    __builtin_cpu_init();
    const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
                    __builtin_cpu_supports("bmi2");
    const bool v4 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                    __builtin_cpu_supports("avx512cd");
    // Set by tests: at most this one.
    const char* most = std::getenv("SPIKINGRX_INSTRUCTION_SET");
    const auto asked = [&](const char* name) { return most && std::strcmp(most, name) == 0; };
    if (asked("portable")) return InstructionSet::kPortable;
    if (v3 && v4 && !asked("v3")) return InstructionSet::kV4;
    return v3 ? InstructionSet::kV3 : InstructionSet::kPortable;
  }();
  return set;
#else
  return InstructionSet::kPortable;
#endif
}

}  // namespace spikingrx
