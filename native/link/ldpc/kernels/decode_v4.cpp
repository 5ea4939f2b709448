// x86-64-v4: AVX-512.
#if defined(__x86_64__)
#define SPIKINGRX_ISA v4
#include "link/ldpc/kernels/decode.inl"
#endif
