// x86-64-v4: AVX-512.
#if defined(__x86_64__)
#define SPIKINGRX_ISA v4
#define SPIKINGRX_LANES 16
#define SPIKINGRX_WIDEST 16
#include "snn/kernels/event_rows.inl"
#endif
