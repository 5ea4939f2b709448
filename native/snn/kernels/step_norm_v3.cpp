#if defined(__x86_64__)
#define SPIKINGRX_ISA v3
#include "snn/kernels/step_norm.inl"
#endif
