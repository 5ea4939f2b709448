// What dense and event-driven products cost on this machine, so that each layer of each call can take the cheaper.
//
//   linear       dense  call + inputs outputs (weight + rows mac)
//   convolution  dense  call + images macs of one image * mac
//   both         event  spikes fan-out add (+ places of kernel and output: window)
//
// Seconds. The shipped values are those of one core at 2.6 GHz with AVX-512; measure() takes this machine's.
#pragma once
#include <cstdint>

#include "api.h"

namespace spikingrx {

struct EngineCosts {
  double linear_call = 4e-6;
  double linear_weight = 5e-11;  // a weight read once a call
  double linear_mac = 1.6e-11;   // multiply and add, once a row
  double convolution_call = 3e-5;
  double convolution_mac = 2e-11;
  double event_add = 2e-11;    // one weight added, outputs filled up to whole registers
  double event_window = 2e-9;  // one place of the kernel at one output

  double dense_linear(int64_t rows, int64_t inputs, int64_t outputs) const {
    return linear_call + static_cast<double>(inputs) * static_cast<double>(outputs) *
                             (linear_weight + static_cast<double>(rows) * linear_mac);
  }
};

// Those in use, in the whole process.
SPIKINGRX_API EngineCosts engine_costs();
// Throws c10::ValueError unless all are positive and finite.
SPIKINGRX_API void set_engine_costs(const EngineCosts& costs);

// Times small products of both kinds on this thread; about 20 ms. Changes nothing.
SPIKINGRX_API EngineCosts measure_engine_costs();

}  // namespace spikingrx
