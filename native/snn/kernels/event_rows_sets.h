// One table of event-driven kernels for each instruction set.
#pragma once
#include "snn/kernels/event_rows.h"

namespace spikingrx {
namespace portable {
extern const EventKernels event_kernels;
}
namespace v3 {
extern const EventKernels event_kernels;
}
namespace v4 {
extern const EventKernels event_kernels;
}
}  // namespace spikingrx
