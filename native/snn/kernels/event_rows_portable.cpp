// Any processor.
#define SPIKINGRX_ISA portable
#define SPIKINGRX_LANES 4
#define SPIKINGRX_WIDEST 8
#include "snn/kernels/event_rows.inl"
