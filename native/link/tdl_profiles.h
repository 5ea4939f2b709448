// The tapped delay lines of 3GPP TR 38.901, and a single tap, as data.
#pragma once
#include <string_view>
#include <vector>

namespace spikingrx::link {

struct DelayProfile {
  std::vector<double> delays;  // in units of the rms delay spread
  std::vector<double> powers;  // of the scattered part, linear; with `specular` they add up to 1
  double specular = 0;         // power of the line of sight on tap 0
  double specular_cosine = 0;  // of its angle of arrival: its Doppler is this share of the largest
};

// "tdl-a" ... "tdl-e", or "flat": one tap.
DelayProfile delay_profile(std::string_view name);

}  // namespace spikingrx::link
