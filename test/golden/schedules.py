"""Learning rate schedules against torch.optim.lr_scheduler: the rate of every step of a run of 40.

    constant  LinearLR(start_factor=warmupFactor, total_iters=warmupSteps) as the warm-up
    step      StepLR(step_size=everySteps, gamma=factor)
    cosine    CosineAnnealingLR(T_max=totalSteps, eta_min=minimum)
    oneCycle  OneCycleLR(max_lr=base, total_steps, pct_start=warmFraction, div_factor=divide, final_div_factor=finalDivide, 'cos'):
              torch reaches the peak at step warmFraction * totalSteps - 1 and the floor at the last step, totalSteps - 1

Warm-up before another schedule is SequentialLR: LinearLR for warmupSteps, then the schedule from its own step 0 over what is left.
"""

import torch
from torch.optim import lr_scheduler

from vectors import Family

BASE, TOTAL = 0.2, 40
NO_WARMUP = {"warmupSteps": 0, "warmupFactor": 0.0}


def rates(make):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], BASE)
    schedule = make(optimizer)
    values = []
    for _ in range(TOTAL):
        values.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return torch.tensor(values, dtype=torch.float64)


def after_warmup(steps, factor, make):
    def sequence(optimizer):
        warmup = lr_scheduler.LinearLR(optimizer, start_factor=factor, total_iters=steps)
        return lr_scheduler.SequentialLR(optimizer, [warmup, make(optimizer)], [steps])
    return sequence


def main():
    family = Family("schedules", "torch.optim.lr_scheduler", ["torch"])

    def add(name, options, make):
        family.add(name, {"base": BASE, "totalSteps": TOTAL, **NO_WARMUP, **options}, rates=rates(make))

    add("warm-up to a constant", {"kind": "constant", "warmupSteps": 8, "warmupFactor": 0.25},
        lambda o: lr_scheduler.LinearLR(o, start_factor=0.25, total_iters=8))
    add("step", {"kind": "step", "everySteps": 7, "factor": 0.3}, lambda o: lr_scheduler.StepLR(o, 7, 0.3))
    add("cosine", {"kind": "cosine", "minimum": 0.01}, lambda o: lr_scheduler.CosineAnnealingLR(o, TOTAL, 0.01))
    add("cosine after a warm-up", {"kind": "cosine", "minimum": 0.01, "warmupSteps": 5, "warmupFactor": 0.1},
        after_warmup(5, 0.1, lambda o: lr_scheduler.CosineAnnealingLR(o, TOTAL - 5, 0.01)))
    add("step after a warm-up", {"kind": "step", "everySteps": 6, "factor": 0.5, "warmupSteps": 4, "warmupFactor": 0.5},
        after_warmup(4, 0.5, lambda o: lr_scheduler.StepLR(o, 6, 0.5)))
    for fraction in (0.3, 0.5):
        add(f"one cycle, peak at {fraction}", {"kind": "oneCycle", "warmFraction": fraction, "divide": 25.0, "finalDivide": 1000.0},
            lambda o: lr_scheduler.OneCycleLR(o, BASE, total_steps=TOTAL, pct_start=fraction, div_factor=25, final_div_factor=1000,
                                              cycle_momentum=False))
    family.save()


if __name__ == "__main__":
    main()
