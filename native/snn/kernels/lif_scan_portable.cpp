// Any processor.
#define SPIKINGRX_ISA portable
#define SPIKINGRX_REGISTER 16
#define SPIKINGRX_SCAN_DOUBLE 1
#include "snn/kernels/lif_scan.inl"
