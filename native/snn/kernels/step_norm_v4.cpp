#if defined(__x86_64__)
#define SPIKINGRX_ISA v4
#include "snn/kernels/step_norm.inl"
#endif
