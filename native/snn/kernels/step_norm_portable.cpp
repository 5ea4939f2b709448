// Any processor.
#define SPIKINGRX_ISA portable
#include "snn/kernels/step_norm.inl"
