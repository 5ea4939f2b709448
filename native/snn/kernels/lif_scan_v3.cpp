// x86-64-v3: AVX2 and FMA.
#if defined(__x86_64__)
#define SPIKINGRX_ISA v3
#define SPIKINGRX_REGISTER 32
#define SPIKINGRX_SCAN_DOUBLE 0
#include "snn/kernels/lif_scan.inl"
#endif
