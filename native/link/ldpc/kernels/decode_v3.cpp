// x86-64-v3: AVX2 and FMA.
#if defined(__x86_64__)
#define SPIKINGRX_ISA v3
#include "link/ldpc/kernels/decode.inl"
#endif
