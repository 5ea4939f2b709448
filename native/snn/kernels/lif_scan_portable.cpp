// Any processor.
#define SPIKINGRX_ISA portable
#define SPIKINGRX_SCAN_TYPES(each) each(float) each(double) each(c10::BFloat16) each(c10::Half)
#include "snn/kernels/lif_scan.inl"
