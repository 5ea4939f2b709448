// x86-64-v4: AVX-512.
#if defined(__x86_64__)
#define SPIKINGRX_ISA v4
#define SPIKINGRX_REGISTER 64
#define SPIKINGRX_SCAN_DOUBLE 0
#include "snn/kernels/lif_scan.inl"
#endif
