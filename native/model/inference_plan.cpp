#include "model/inference_plan.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/scalar_tensor.h>

#include <algorithm>
#include <numeric>

#include "error.h"
#include "model/inference_steps.h"
#include "model/plan_builder.h"

namespace spikingrx {

namespace {

constexpr int64_t kChunkBytes = int64_t{2} << 20;  // signals of the samples that go through the steps together

// Room for so many elements, kept where it suffices.
template <class Value>
Value* room(at::Tensor& storage, int64_t size) {
  constexpr auto type = c10::CppTypeToScalarType<Value>::value;
  if (!storage.defined() || storage.numel() < size) storage = at::empty({size}, type);
  return storage.mutable_data_ptr<Value>();
}

std::vector<int64_t> with_lead(std::initializer_list<int64_t> lead, const std::vector<int64_t>& shape) {
  std::vector<int64_t> sizes(lead);
  sizes.insert(sizes.end(), shape.begin(), shape.end());
  return sizes;
}

}  // namespace

void to_channels_last(const float* from, int64_t rows, int64_t channels, int64_t places, float* to) {
  if (channels == 1 || places == 1) {
    std::copy_n(from, rows * channels * places, to);
    return;
  }
  for (int64_t row = 0; row < rows; row++, from += channels * places, to += channels * places)
    for (int64_t s = 0; s < places; s++)
      for (int64_t c = 0; c < channels; c++) to[s * channels + c] = from[c * places + s];
}

void from_channels_last(const float* from, int64_t rows, int64_t channels, int64_t places, float* to) {
  to_channels_last(from, rows, places, channels, to);
}

float* Chunk::write(size_t signal) {
  Workspace::Value& value = work.values[place(signal).root];
  value.data = room<float>(value.storage, rows(signal) * place(signal).size());
  return value.data;
}

void Chunk::take(size_t signal, const at::Tensor& computed) {
  Workspace::Value& value = work.values[place(signal).root];
  value.storage = computed.view({-1});
  value.data = value.storage.mutable_data_ptr<float>();
}

const EventLists& Chunk::events(size_t signal, bool by_line) {
  const SignalPlace& here = place(signal);
  Workspace::Value& value = work.values[here.root];
  EventLists& lists = by_line ? value.by_line : value.by_row;
  if (lists.ready) return lists;
  EventList& list = lists.list;
  list.groups = by_line ? here.shape[2] : 1;
  list.size = by_line ? here.channels : here.size();
  const int64_t lines = rows(signal) * (by_line ? here.shape[1] : 1);
  list.starts = room<int32_t>(lists.integers, lines * (list.room() + list.groups + 1));
  list.places = list.starts + lines * (list.groups + 1);
  list.values = here.binary ? nullptr : room<float>(lists.floats, lines * list.room());
  lists.total = event_kernels().find(value.data, lines, list);
  lists.ready = true;
  return lists;
}

float* Chunk::scratch(size_t index, int64_t size) { return room<float>(work.scratch[index], size); }

void Chunk::record(size_t record, const float* values, size_t signal) {
  if (!run.options.record || record == kNone) return;
  const SignalPlace& here = place(signal);
  float* to = run.records[record].mutable_data_ptr<float>() + first * steps(signal) * here.size();
  from_channels_last(values, rows(signal), here.channels, here.places, to);
}

InferencePlan::InferencePlan(PlanBuilder&& built)
    : places_(std::move(built.places_)),
      steps_(std::move(built.steps_)),
      records_(std::move(built.records_)),
      output_(built.signal_),
      neurons_(built.neurons_),
      neuron_signals_(std::move(built.neuron_signals_)),
      spiking_sizes_(std::move(built.spiking_sizes_)) {
  whole_ = 0;
  while (whole_ < steps_.size() && !steps_[whole_]->has_state()) whole_++;
}

InferencePlan::~InferencePlan() = default;

void InferencePlan::run_chunk(Chunk& chunk, size_t first, size_t last) const {
  for (size_t i = first; i < last; i++) steps_[i]->run(chunk);
}

// As many as keep their signals in the second-level cache, and leave work for every thread.
int64_t InferencePlan::samples_at_once(const InferenceRun& run) const {
  int64_t bytes = 1;
  for (const size_t signal : neuron_signals_)
    bytes += 3 * run.steps * places_[signal].size() * static_cast<int64_t>(sizeof(float));
  const int64_t threads = at::get_num_threads();
  return std::clamp<int64_t>(kChunkBytes / bytes, 1, std::max<int64_t>(1, (run.batch + threads - 1) / threads));
}

at::Tensor InferencePlan::run(const at::Tensor& given, int64_t steps, bool only_events, Pass& pass) {
  const at::Tensor value = given.contiguous();
  const ForwardOptions& options = pass.options;
  InferenceRun run{
      options, engine_costs(), only_events, value.size(0), steps, value.size(1), pass.first_step, nullptr, {}, {}};
  std::vector<at::Tensor> membranes;
  for (size_t i = 0; i < neurons_; i++) {
    const SignalPlace& place = places_[neuron_signals_[i]];
    const auto shape = with_lead({run.batch}, place.shape);
    if (const at::Tensor membrane = pass.take_state(); membrane.defined()) {
      SPIKINGRX_CHECK(membrane.sizes() == shape, "ERR_SHAPE", "lif membrane must have shape ", at::IntArrayRef(shape),
                      ", got ", membrane.sizes());
      SPIKINGRX_CHECK(membrane.is_floating_point(), "ERR_TYPE", "lif membrane must be floating point, got ",
                      membrane.dtype());
      membranes.push_back(membrane.to(at::kCPU, at::kFloat).contiguous());
    }
    if (options.carry_state) run.final_membranes.push_back(at::empty(shape, at::kFloat));
  }
  if (!membranes.empty()) run.membranes = membranes.data();
  if (options.record)
    for (const RecordPlace& record : records_) {
      const SignalPlace& place = places_[record.signal];
      run.records.push_back(at::empty(with_lead({run.batch, run.steps_of(place)}, place.shape), at::kFloat));
    }
  const SignalPlace& result = places_[output_];
  const at::Tensor output = at::empty(with_lead({run.batch, run.steps_of(result)}, result.shape), at::kFloat);
  const auto put_output = [&](Chunk& chunk) {
    const int64_t row = chunk.steps(output_) * result.size();
    from_channels_last(chunk.read(output_), chunk.rows(output_), result.channels, result.places,
                       output.mutable_data_ptr<float>() + chunk.first * row);
  };

  workspaces_.resize(static_cast<size_t>(at::get_num_threads()) + 1);
  for (Workspace& work : workspaces_) {
    work.values.resize(places_.size());
    work.scratch.resize(2 * neurons_);
    work.spikes.assign(spiking_sizes_.size(), 0);
    work.one_thread = true;
  }
  const auto forget = [](Workspace& work) {
    for (auto& one : work.values) one.by_line.ready = one.by_row.ready = false;
  };

  Workspace& common = workspaces_.back();
  forget(common);
  Chunk whole(places_, run, common, 0, run.batch);
  const SignalPlace& entry = places_[0];
  // Where nothing has to be moved, the input itself is the first signal; it is only read.
  if (entry.channels == 1 || entry.places == 1)
    common.values[0].data = const_cast<float*>(value.const_data_ptr<float>());
  else
    to_channels_last(value.const_data_ptr<float>(), whole.rows(0), entry.channels, entry.places, whole.write(0));
  run_chunk(whole, 0, whole_);

  if (whole_ == steps_.size()) {
    put_output(whole);
  } else {
    const int64_t at_once = samples_at_once(run), chunks = (run.batch + at_once - 1) / at_once;
    whole.parallel(chunks, 1, [&](int64_t begin, int64_t end) {
      Workspace& work = workspaces_[static_cast<size_t>(at::get_thread_num())];
      for (int64_t i = begin; i < end; i++) {
        const int64_t first = i * at_once;
        forget(work);
        Chunk chunk(places_, run, work, first, std::min(at_once, run.batch - first));
        for (size_t signal = 0; signal < places_.size(); signal++)
          if (common.values[signal].data)
            work.values[signal].data =
                common.values[signal].data + first * chunk.steps(signal) * places_[signal].size();
        run_chunk(chunk, whole_, steps_.size());
        put_output(chunk);
      }
    });
  }

  if (options.measure_rates)
    for (size_t i = 0; i < spiking_sizes_.size(); i++) {
      int64_t spikes = 0;
      for (const Workspace& work : workspaces_) spikes += work.spikes[i];
      const double neurons = static_cast<double>(run.batch * steps * spiking_sizes_[i]);
      pass.result.rates.push_back(at::scalar_tensor(static_cast<double>(spikes) / neurons, at::kFloat));
    }
  pass.result.one_thread =
      std::all_of(workspaces_.begin(), workspaces_.end(), [](const Workspace& work) { return work.one_thread; });
  for (const at::Tensor& membrane : run.final_membranes) pass.give_state(membrane);
  for (size_t i = 0; i < run.records.size(); i++)
    pass.record(records_[i].layer, records_[i].quantity.c_str(), run.records[i]);
  return output;
}

}  // namespace spikingrx
