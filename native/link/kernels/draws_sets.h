// One table of kernels for each instruction set.
#pragma once
#include "link/kernels/draws.h"

namespace spikingrx::link {
namespace portable {
DrawKernels draw_kernels();
}
namespace v3 {
DrawKernels draw_kernels();
}
}  // namespace spikingrx::link
