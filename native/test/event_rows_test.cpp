// Products by events against libtorch's, whichever way the weights are gone through.
#include "snn/kernels/event_rows.h"

#include <ATen/ATen.h>

#include <vector>

#include "check.h"

using namespace spikingrx;

namespace {

// y of `x` [rows, inputs] with `weight` [inputs, outputs].
at::Tensor by_events(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, bool with_values) {
  const int64_t rows = x.size(0), inputs = weight.size(0), outputs = weight.size(1);
  const at::Tensor table = at::zeros({inputs, event_stride(outputs)}), addend = at::zeros({event_padded(outputs)});
  table.narrow(1, 0, outputs).copy_(weight);
  addend.narrow(0, 0, outputs).copy_(bias);
  EventList list{1, inputs, nullptr, nullptr, nullptr};
  std::vector<int32_t> starts(static_cast<size_t>(2 * rows)), places(static_cast<size_t>(rows * list.room()));
  std::vector<float> values(static_cast<size_t>(rows * list.room()));
  list.starts = starts.data(), list.places = places.data(), list.values = with_values ? values.data() : nullptr;
  event_kernels().find(x.const_data_ptr<float>(), rows, list);
  const at::Tensor y = at::full({rows, outputs}, -1, at::kFloat);
  const EventWeights weights{table.const_data_ptr<float>(), addend.const_data_ptr<float>(), inputs, outputs};
  event_kernels().product(weights, list, 0, rows, y.mutable_data_ptr<float>());
  return y;
}

double difference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

}  // namespace

TEST("whole rows, blocks, sparse and dense spikes give the same as libtorch") {
  at::manual_seed(3);
  for (const int64_t inputs : {1, 30, 2048, 2100})
    for (const int64_t outputs : {1, 257, 512, 513, 1000, 4096, 4500}) {
      const at::Tensor weight = at::randn({inputs, outputs}), bias = at::randn({outputs});
      for (const int64_t rows : {1, 2, 7})
        for (const double activity : {0.0, 0.02, 0.5, 1.0}) {
          const at::Tensor spikes = at::rand({rows, inputs}).lt(activity).to(at::kFloat),
                           values = spikes * at::randn({rows, inputs});
          EXPECT(difference(by_events(spikes, weight, bias, false), at::addmm(bias, spikes, weight)) < 1e-3);
          EXPECT(difference(by_events(values, weight, bias, true), at::addmm(bias, values, weight)) < 1e-3);
        }
    }
}

TEST("rows of weights are whole lines, an odd number where they are visited in parts") {
  EXPECT_EQ(event_stride(1), 16);
  EXPECT_EQ(event_stride(256), 256);
  EXPECT_EQ(event_stride(257), 272);
  EXPECT_EQ(event_stride(1000), 1008);
  EXPECT_EQ(event_stride(1024), 1040);
}

CHECK_MAIN()
