// Any processor.
#define SPIKINGRX_ISA portable
#include "link/ldpc/kernels/decode.inl"
