// Any processor.
#define SPIKINGRX_ISA portable
#include "snn/kernels/lif_scan.inl"
