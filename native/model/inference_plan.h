// A network as a list of plain steps over buffers of its own, for inference without gradients on the CPU in float32.
//
// Signals lie channels last, [samples][steps][places][channels], so that a spike's weights to all output channels are
// one row (snn/kernels/event_rows.h). Each convolution and linear layer takes the event-driven product or libtorch's
// dense one, whichever is cheaper at the spikes that it sees (engine_costs.h). SpikeNorm is folded into the convolution
// before it. Layers before the first neuron are computed for the whole batch; the rest for a few samples at a time,
// whose signals stay in cache.
#pragma once
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "model/engine_costs.h"
#include "model/layer.h"
#include "snn/kernels/event_rows.h"

namespace spikingrx {

// How many time steps of a signal are stored: as many as the input has, all, or one that is the same at each.
enum class Duration { kInput, kAll, kOne };

// A signal of the network, as it lies in memory: values of logical shape [C, H, W] or [D] stored as [places][channels].
struct SignalPlace {
  std::vector<int64_t> shape;
  int64_t channels, places;
  Duration duration;
  bool binary;  // nothing but 0 and 1
  size_t root;  // the signal whose buffer it shares; itself where it has one
  int64_t size() const { return channels * places; }
};

// What a step writes besides: of one layer, for the whole batch.
struct RecordPlace {
  std::string layer, quantity;
  size_t signal;
};

class InferenceStep;

// One call of the plan.
struct InferenceRun {
  const ForwardOptions& options;
  const EngineCosts costs;
  bool only_events;  // never a dense product
  int64_t batch, steps, input_steps, first_step;
  const at::Tensor* membranes;  // [B, ...] of each neuron layer, or null: from rest
  std::vector<at::Tensor> final_membranes, records;

  int64_t steps_of(const SignalPlace& place) const {
    if (place.duration == Duration::kOne) return 1;
    return place.duration == Duration::kAll ? steps : input_steps;
  }
};

struct EventLists {
  at::Tensor integers, floats;
  EventList list = {};
  int64_t total = 0;
  bool ready = false;
};

// Buffers of one thread, kept from call to call.
struct Workspace {
  struct Value {
    at::Tensor storage;
    float* data = nullptr;
    EventLists by_line, by_row;
  };
  std::vector<Value> values;
  std::vector<at::Tensor> scratch;  // membranes, traces, one for each step that asks
  std::vector<int64_t> spikes;      // of each spiking layer, summed over the samples
  bool one_thread = true;           // no dense product yet, nothing that was shared among threads
};

// Some samples of a run on their way through the steps.
class Chunk {
 public:
  Chunk(const std::vector<SignalPlace>& places, InferenceRun& run, Workspace& work, int64_t first, int64_t samples)
      : run(run), work(work), first(first), samples(samples), places_(places) {}

  const SignalPlace& place(size_t signal) const { return places_[signal]; }
  int64_t steps(size_t signal) const { return run.steps_of(place(signal)); }
  int64_t rows(size_t signal) const { return samples * steps(signal); }
  const float* read(size_t signal) const { return work.values[place(signal).root].data; }
  // Room for a signal that is about to be computed.
  float* write(size_t signal);
  // A signal that libtorch has computed, in the layout of the plan.
  void take(size_t signal, const at::Tensor& value);
  // What is not zero: of each line of an image with a group for each pixel, or of each row in one group.
  const EventLists& events(size_t signal, bool by_line);
  float* scratch(size_t index, int64_t size);
  // at::parallel_for; body(first, last).
  template <class Body>
  void parallel(int64_t count, int64_t grain, const Body& body) {
    if (count > grain) work.one_thread = false;
    at::parallel_for(0, count, grain, body);
  }
  // Copies a signal, or values that lie like it, into a record.
  void record(size_t record, const float* values, size_t signal);

  InferenceRun& run;
  Workspace& work;
  const int64_t first, samples;

 private:
  const std::vector<SignalPlace>& places_;
};

class InferenceStep {
 public:
  virtual ~InferenceStep() = default;
  virtual void run(Chunk& chunk) const = 0;
  // Whether it ends what is computed for the whole batch.
  virtual bool has_state() const { return false; }
};

// Values [rows][channels][places] of a tensor as [rows][places][channels], and back.
void to_channels_last(const float* from, int64_t rows, int64_t channels, int64_t places, float* to);
void from_channels_last(const float* from, int64_t rows, int64_t channels, int64_t places, float* to);

class PlanBuilder;

class InferencePlan {
 public:
  explicit InferencePlan(PlanBuilder&& built);
  ~InferencePlan();

  // given: [B, T or 1, ...] of the plan's input shape, float32 on the CPU. Fills the pass as the layers would.
  at::Tensor run(const at::Tensor& given, int64_t steps, bool only_events, Pass& pass);

 private:
  void run_chunk(Chunk& chunk, size_t first, size_t last) const;
  int64_t samples_at_once(const InferenceRun& run) const;

  std::vector<SignalPlace> places_;
  std::vector<std::unique_ptr<InferenceStep>> steps_;
  std::vector<RecordPlace> records_;
  size_t output_, neurons_, spiking_;
  size_t whole_;  // steps computed for the whole batch at once
  std::vector<size_t> neuron_signals_;
  std::vector<int64_t> spiking_sizes_;
  std::vector<Workspace> workspaces_;
};

}  // namespace spikingrx
