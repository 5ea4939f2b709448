// x86-64-v3: AVX2.
#if defined(__x86_64__)
#define SPIKINGRX_LEVEL v3
#include "link/kernels/draws.inl"
#endif
