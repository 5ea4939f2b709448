// Products with a matrix of spikes, computed by what is not zero: for each spike, the weights of its synapses are
// added.
//
//   y[r] = b + sum over i with x[r][i] != 0 of x[r][i] W[i]          W[i]: the weights from input i to all outputs
//
// The work is the number of spikes times the fan-out instead of all inputs times all outputs. Values may be any: where
// all that are not zero are 1 (spikes), nothing is multiplied. Not a number and infinity count as not zero.
#pragma once
#include <cstdint>

#include "api.h"

namespace spikingrx {

inline constexpr int64_t kEventPad = 16;  // floats; strides of weights and rooms of lists are multiples of it

inline constexpr int64_t event_padded(int64_t size) { return (size + kEventPad - 1) / kEventPad * kEventPad; }

// What is not zero in each of many lines of `groups` groups of `size` values: a linear layer's inputs are lines of one
// group, an image's lines have a group of channels for each pixel. Neighbouring groups have neighbouring entries.
struct EventList {
  int64_t groups, size;
  int32_t* starts;  // [lines][groups + 1]: the first entry of each group; the last is the number of entries
  int32_t* places;  // [lines][room()]: in the line
  float* values;    // [lines][room()]; null where all are 1
  int64_t room() const { return event_padded(groups * size) + kEventPad; }
};

// Floats from the weights of one input to those of the next: a whole number of lines, and an odd one where rows are
// visited in parts, so that parts of many rows find room in the caches beside each other.
inline constexpr int64_t event_stride(int64_t outputs) {
  const int64_t padded = event_padded(outputs);
  return padded > 256 && padded / kEventPad % 2 == 0 ? padded + kEventPad : padded;
}

// W and b of the formula above, 64-byte aligned, outputs filled up with zeros to a multiple of kEventPad.
struct EventWeights {
  const float* weight;  // [inputs][stride()]
  const float* bias;    // [padded()]
  int64_t inputs, outputs;
  int64_t padded() const { return event_padded(outputs); }
  int64_t stride() const { return event_stride(outputs); }
};

// A 2-d convolution over an image [height][width][channels]; its weights are rows [kernel place][channel].
struct EventWindow {
  int64_t height, width, channels;
  int64_t kernel[2], step[2], padding[2];
  int64_t output[2];  // [height, width]
};

struct EventKernels {
  // Lists what is not zero in x [lines][groups][size]; returns how many that are.
  int64_t (*find)(const float* x, int64_t lines, const EventList& list);
  // How many values of x are not zero.
  int64_t (*count)(const float* x, int64_t size);
  // y [rows][outputs], rows `first` to `last` - 1, of lines of one group.
  void (*product)(const EventWeights& weights, const EventList& list, int64_t first, int64_t last, float* y);
  // y [images][height][width][outputs], lines `first` to `last` - 1 of all images' output lines, from the lines of all
  // images.
  void (*convolution)(const EventWeights& weights, const EventWindow& window, const EventList& list, int64_t first,
                      int64_t last, float* y);
};

// The kernels for this processor.
SPIKINGRX_API const EventKernels& event_kernels();

}  // namespace spikingrx
