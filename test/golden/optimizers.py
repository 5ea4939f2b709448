"""Our optimisers against torch.optim: two parameters, the same 20 gradients, the parameters after each step.

    sgd    SGD(lr, momentum, dampening, weight_decay, nesterov)
    adam   Adam(lr, betas, eps, weight_decay)       weight decay as an L2 term in the gradient
    adamW  AdamW(lr, betas, eps, weight_decay)      weight decay apart from the gradient

clip   clip_grad_norm_ (its divisor is norm + 1e-6): the norm before, the gradients after

"learningRates" in the options: the rate given to each step, where it changes as a schedule would change it.
"""

import torch

from vectors import DTYPES, Family, leaf, random

STEPS = 20
SGD = {"learningRate": 0.05, "momentum": 0.0, "dampening": 0.0, "weightDecay": 0.0, "nesterov": False}
ADAM = {"learningRate": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weightDecay": 0.0}
CASES = {
    "sgd": ("sgd", SGD),
    "sgd with momentum": ("sgd", {**SGD, "momentum": 0.9}),
    "sgd with momentum and dampening": ("sgd", {**SGD, "momentum": 0.9, "dampening": 0.3}),
    "sgd with momentum and weight decay": ("sgd", {**SGD, "momentum": 0.8, "weightDecay": 0.1}),
    "sgd with Nesterov momentum": ("sgd", {**SGD, "momentum": 0.9, "nesterov": True, "weightDecay": 0.01}),
    "adam": ("adam", ADAM),
    "adam with weight decay": ("adam", {**ADAM, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-4, "weightDecay": 0.1}),
    "adamW": ("adamW", {**ADAM, "weightDecay": 0.01}),
    "adamW with strong weight decay": ("adamW", {**ADAM, "learningRate": 0.1, "beta1": 0.8, "weightDecay": 0.5}),
}


def make(kind, options, parameters):
    if kind == "sgd":
        return torch.optim.SGD(parameters, options["learningRate"], options["momentum"], options["dampening"],
                               options["weightDecay"], options["nesterov"])
    make = torch.optim.Adam if kind == "adam" else torch.optim.AdamW
    return make(parameters, options["learningRate"], (options["beta1"], options["beta2"]), options["epsilon"], options["weightDecay"])


def run(kind, options, learning_rates, starts, gradients, dtype):
    parameters = [leaf(start, dtype) for start in starts]
    optimizer = make(kind, options, parameters)
    paths = [[] for _ in parameters]
    for step in range(STEPS):
        if learning_rates:
            optimizer.param_groups[0]["lr"] = learning_rates[step]
        for parameter, gradient, path in zip(parameters, gradients, paths):
            parameter.grad = gradient[step].to(dtype)
        optimizer.step()
        for parameter, path in zip(parameters, paths):
            path.append(parameter.detach().clone())
    return {f"path.{index}": torch.stack(path) for index, path in enumerate(paths)}


def main():
    normal = random(7)
    starts = [normal(3, 4), normal(5)]
    gradients = [normal(STEPS, 3, 4) + 0.3, normal(STEPS, 5) * 0.1]
    family = Family("optimizers", "torch.optim", ["torch"])
    family.share(**{"start.0": starts[0], "start.1": starts[1], "gradient.0": gradients[0], "gradient.1": gradients[1]})
    for name, (kind, options) in CASES.items():
        for dtype, torch_dtype in DTYPES.items():
            if dtype == "float64" or name in ("sgd with momentum", "adamW"):
                family.add(f"{name}, {dtype}", {"kind": kind, **options, "dtype": dtype},
                           **run(kind, options, None, starts, gradients, torch_dtype))
    rates = [0.02 * (1 - step / STEPS) for step in range(STEPS)]
    for name in ("sgd with momentum and weight decay", "adamW"):
        kind, options = CASES[name]
        family.add(f"{name}, falling learning rate", {"kind": kind, **options, "learningRates": rates, "dtype": "float64"},
                   **run(kind, options, rates, starts, gradients, torch.float64))
    for largest in (1.5, 1e6):
        parameters = [leaf(start, torch.float64) for start in starts]
        for parameter, gradient in zip(parameters, gradients):
            parameter.grad = gradient[0].clone()
        norm = torch.nn.utils.clip_grad_norm_(parameters, largest)
        family.add(f"clip at {largest:g}", {"kind": "clip", "largest": largest, "dtype": "float64"}, norm=norm,
                   **{f"clipped.{index}": parameter.grad for index, parameter in enumerate(parameters)})
    family.save()


if __name__ == "__main__":
    main()
