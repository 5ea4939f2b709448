// Scores and classes of a network's output: by hand, and as libtorch's own operators give them.
#include "model/decision.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>

#include <limits>

#include "check.h"
#include "support.h"

using namespace spikingrx;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<int64_t> classes_of(std::vector<float> scores, int64_t batch) {
  const at::Tensor output = at::tensor(scores).view({batch, 1, -1});
  const at::Tensor classes = decide(output, false).classes.to(at::kLong);
  return {classes.const_data_ptr<int64_t>(), classes.const_data_ptr<int64_t>() + classes.numel()};
}

TEST("scores are means over time") {
  const at::Tensor output = at::tensor({1.f, 8.f, 2.f, 1.f, 6.f, 0.f}).view({1, 3, 2});
  const Decision decision = decide(output, false);
  EXPECT(decision.scores.equal(at::tensor({3.f, 3.f}).view({1, 2})));
  EXPECT(decision.classes.equal(at::tensor({0}, at::kInt)));  // the first of equals
  EXPECT(!decision.probabilities.defined());
}

TEST("classes are places of the largest, and not a number is larger than all") {
  EXPECT((classes_of({-3, -1, -2, 4, 5, 6}, 2) == std::vector<int64_t>{1, 2}));
  EXPECT((classes_of({-kInfinity, -kInfinity, 1, kInfinity}, 2) == std::vector<int64_t>{0, 1}));
  EXPECT((classes_of({1, kNan, 9, kNan, 2, kNan}, 2) == std::vector<int64_t>{1, 0}));
}

TEST("scores, classes and probabilities are those that libtorch's operators give") {
  for (const int64_t steps : {1, 2, 25})
    for (const int64_t batch : {1, 3, 17}) {
      const at::Tensor output = support::normal({batch, steps, 11}, static_cast<uint64_t>(steps + batch), at::kFloat);
      const Decision decision = decide(output, true);
      const at::Tensor mean = output.to(at::kDouble).mean(1);
      EXPECT_CLOSE(decision.scores, mean, 1e-6);
      EXPECT(decision.classes.equal(mean.argmax(1).to(at::kInt)));
      EXPECT_CLOSE(decision.probabilities, mean.softmax(1), 1e-6);
      // Of other layouts and types, by libtorch's operators.
      const at::Tensor turned = output.transpose(0, 2).contiguous().transpose(0, 2);
      EXPECT(decide(turned, true).classes.equal(decision.classes));
      EXPECT_CLOSE(decide(output.to(at::kDouble), true).scores, mean, 1e-6);
    }
}

TEST("no samples, and maps") {
  const Decision none = decide(at::empty({0, 4, 3}), true);
  EXPECT((none.scores.sizes() == at::IntArrayRef{0, 3}));
  EXPECT((none.probabilities.sizes() == at::IntArrayRef{0, 3}));
  EXPECT_EQ(none.classes.numel(), 0);
  const Decision maps = decide(at::ones({2, 4, 3, 5, 5}), true);
  EXPECT(maps.scores.equal(at::ones({2, 3, 5, 5})));
  EXPECT_EQ(maps.classes.numel(), 0);
  EXPECT(!maps.probabilities.defined());
}

}  // namespace

CHECK_MAIN()
