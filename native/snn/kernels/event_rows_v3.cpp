// x86-64-v3: AVX2 and FMA.
#if defined(__x86_64__)
#define SPIKINGRX_ISA v3
#define SPIKINGRX_LANES 8
#define SPIKINGRX_WIDEST 8
#include "snn/kernels/event_rows.inl"
#endif
