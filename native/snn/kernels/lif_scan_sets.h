// One table of scans for each computing type and instruction set.
#pragma once
#include "snn/kernels/lif_scan.h"

#define SPIKINGRX_DECLARE_SCAN(isa) \
  namespace spikingrx::isa {        \
  template <class Real>             \
  LifScan<Real> lif_scan();         \
  }
SPIKINGRX_DECLARE_SCAN(portable)
SPIKINGRX_DECLARE_SCAN(v3)
SPIKINGRX_DECLARE_SCAN(v4)
#undef SPIKINGRX_DECLARE_SCAN
