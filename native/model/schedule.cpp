#include "model/schedule.h"

#include <algorithm>
#include <cmath>

#include "error.h"

namespace spikingrx {

namespace {

double cosine_between(double from, double to, double share) {
  return to + (from - to) * (1 + std::cos(M_PI * std::clamp(share, 0.0, 1.0))) / 2;
}

// The two phases end at steps warmFraction * total - 1 and total - 1, as torch's OneCycleLR.
double one_cycle(const Spec& spec, double base, int64_t step, int64_t total) {
  const double start = base / spec.number("divide"), end = start / spec.number("finalDivide");
  const double peak = spec.number("warmFraction") * static_cast<double>(total) - 1,
               last = static_cast<double>(total) - 1;
  const double s = static_cast<double>(step);
  if (s <= peak && peak > 0) return cosine_between(start, base, s / peak);
  return last > peak ? cosine_between(base, end, (s - peak) / (last - peak)) : end;
}

double rate_at(const Spec& schedule, double base, int64_t step, int64_t total_steps) {
  SPIKINGRX_CHECK(step >= 0 && total_steps >= 0, "ERR_RANGE", "a schedule's steps must not be negative, got ", step,
                  " of ", total_steps);
  const int64_t warmup = schedule.integer("warmupSteps");
  const double factor = schedule.number("warmupFactor");
  SPIKINGRX_CHECK(warmup >= 0 && factor >= 0 && factor <= 1, "ERR_RANGE",
                  "a schedule's warmupSteps must not be negative and its warmupFactor in [0, 1]");
  if (step < warmup) return base * (factor + (1 - factor) * static_cast<double>(step) / static_cast<double>(warmup));
  const int64_t s = step - warmup, total = std::max<int64_t>(1, total_steps - warmup);
  const std::string& kind = schedule.kind;
  if (kind == "constant") return base;
  if (kind == "step") {
    const int64_t every = schedule.integer("everySteps");
    SPIKINGRX_CHECK(every > 0, "ERR_RANGE", "step schedule's everySteps must be positive, got ", every);
    return base * std::pow(schedule.number("factor"), static_cast<double>(s / every));
  }
  if (kind == "cosine")
    return cosine_between(base, schedule.number("minimum"), static_cast<double>(s) / static_cast<double>(total));
  SPIKINGRX_CHECK(kind == "oneCycle", "ERR_RANGE", "schedule must be constant, step, cosine or oneCycle, got '", kind,
                  "'");
  return one_cycle(schedule, base, s, total);
}

}  // namespace

double learning_rate(const Spec& schedule, double base, int64_t step, int64_t total_steps) {
  const double rate = rate_at(schedule, base, step, total_steps);
  SPIKINGRX_CHECK(std::isfinite(rate) && rate >= 0, "ERR_RANGE", "the ", schedule.kind, " schedule gives ", rate,
                  " at step ", step, "; a learning rate must be finite and not negative");
  return rate;
}

}  // namespace spikingrx
