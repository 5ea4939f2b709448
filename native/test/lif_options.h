// Every combination of LIF's options that changes the equations.
#pragma once
#include "snn/lif.h"

namespace spikingrx {

template <class Body>
void each_option(Body&& body) {
  for (const auto reset : {Reset::kSubtract, Reset::kZero, Reset::kNone})
    for (const bool delay : {false, true})
      for (const bool detach : {false, true})
        for (const bool decay_input : {false, true}) {
          LifOptions options;
          options.reset = reset, options.reset_delay = delay, options.detach_reset = detach;
          options.decay_input = decay_input;
          body(options);
        }
}

}  // namespace spikingrx
