"""Whole trainings against SpikingJelly and snnTorch neurons, torch layers, losses and optimisers: the loss of every step and the
weights at the end.

    images     [B, C, H, W] shown at each of T steps: conv -> BatchNorm2d per step -> LIF -> average pooling -> linear -> LIF,
               rates against target rates, SGD with momentum
    sequences  [B, T, D]: linear -> LIF (hard reset) -> linear -> integrator without spikes, cross entropy of the mean, AdamW on a
               cosine schedule
    learnt     [B, T, D]: linear -> snnTorch's Leaky with a learnt beta and threshold for each neuron and a delayed reset -> linear ->
               Leaky without reset and one learnt beta, cross entropy of the summed membranes, SGD with momentum; snnTorch's spikes
               and their gradients are float32, so the tolerance is

Parameters carry our names. Everything else is float64: after a few steps a single spike on the other side would show.
"""

import snntorch
import torch
from spikingjelly.activation_based import neuron, surrogate
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss, one_hot

from vectors import Family, random

T, B, STEPS = 6, 5, 6


def each_step(module, x):
    """[T, B, ...] through a layer without memory, one step at a time (BatchNorm2d then sees one step at a time)."""
    return torch.stack([module(step) for step in x])


def train(forward, loss_of, optimizer, schedule, batches):
    losses = []
    for x, target in batches:
        optimizer.zero_grad()
        loss = loss_of(forward(x), target)
        loss.backward()
        optimizer.step()
        if schedule:
            schedule.step()
        losses.append(loss.item())
    print("losses", *(f"{loss:.4f}" for loss in losses))
    return torch.tensor(losses, dtype=torch.float64)


def fill(parameters, normal, scale):
    with torch.no_grad():
        for name, value in parameters:
            value.copy_(normal(*value.shape) * scale + (1 if name.endswith("gamma") else 0))


def images(family, normal):
    conv = nn.Conv2d(2, 4, 3, padding=1).double()
    norm = nn.BatchNorm2d(4).double()
    linear = nn.Linear(4 * 3 * 3, 3).double()
    first = neuron.LIFNode(1 / (1 - 0.8), True, 0.4, None, surrogate.Sigmoid(4.0), step_mode="m")
    last = neuron.LIFNode(1 / (1 - 0.5), False, 0.7, None, surrogate.ATan(2.0), True, step_mode="m")

    def forward(x):
        first.reset()
        last.reset()
        x = first(each_step(norm, each_step(conv, x.expand(T, *x.shape))))
        x = each_step(lambda step: nn.functional.avg_pool2d(step, 2).flatten(1), x)
        return last(each_step(linear, x))

    names = {"layers.0.weight": conv.weight, "layers.0.bias": conv.bias, "layers.1.gamma": norm.weight, "layers.1.beta": norm.bias,
             "layers.5.weight": linear.weight, "layers.5.bias": linear.bias}
    buffers = {"layers.1.runningMean": norm.running_mean, "layers.1.runningVariance": norm.running_var}
    fill(names.items(), normal, 0.3)
    initial = {f"initial.{name}": value.clone() for name, value in {**names, **buffers}.items()}
    batches = [(normal(B, 2, 6, 6), torch.arange(B) % 3) for _ in range(STEPS)]
    optimizer = torch.optim.SGD(names.values(), 0.3, 0.9)

    def loss_of(output, target):
        return mse_loss(output.mean(0), one_hot(target, 3).double())

    losses = train(forward, loss_of, optimizer, None, batches)
    lif = {"resetDelay": False, "learnable": [], "perChannel": False}
    family.add(
        "images",
        {
            "network": {"input": [2, 6, 6], "steps": T, "layers": [
                {"kind": "convBlock", "channels": 4, "kernel": [3, 3], "stride": [1, 1], "padding": [1, 1], "bias": True,
                 "initial": "kaiming"},
                {"kind": "spikeNorm", "epsilon": 1e-5, "momentum": 0.1, "statistics": "shared", "steps": T},
                {"kind": "lif", "decay": 0.8, "threshold": 0.4, "decayInput": True, "reset": "subtract", "detachReset": False,
                 "surrogate": "sigmoid", "surrogateParameter": 4.0, **lif},
                {"kind": "averagePool", "kernel": [2, 2], "stride": [2, 2], "padding": [0, 0]},
                {"kind": "flatten"},
                {"kind": "linear", "features": 3, "bias": True},
                {"kind": "lif", "decay": 0.5, "threshold": 0.7, "decayInput": False, "reset": "subtract", "detachReset": True,
                 "surrogate": "atan", "surrogateParameter": 2.0, **lif},
            ]},
            "loss": {"kind": "rateMse", "correct": 1.0, "incorrect": 0.0},
            "optimizer": {"kind": "sgd", "learningRate": 0.3, "momentum": 0.9, "dampening": 0.0, "weightDecay": 0.0, "nesterov": False},
            "schedule": {"kind": "constant", "warmupSteps": 0, "warmupFactor": 0.0},
            "steps": STEPS,
        },
        inputs=torch.stack([x for x, _ in batches]), targets=torch.stack([target for _, target in batches]), losses=losses,
        **initial, **{f"after.{name}": value for name, value in {**names, **buffers}.items()})


def sequences(family, normal):
    hidden, readout = nn.Linear(7, 12).double(), nn.Linear(12, 4, bias=False).double()
    spiking = neuron.LIFNode(1 / (1 - 0.9), False, 1.0, 0.0, surrogate.PiecewiseQuadratic(1.0), step_mode="m")
    integrator = neuron.NonSpikingLIFNode(1 / (1 - 0.8))

    def forward(x):
        spiking.reset()
        x = spiking(each_step(hidden, x.transpose(0, 1)))
        return torch.stack(integrator(each_step(readout, x)))

    names = {"layers.0.weight": hidden.weight, "layers.0.bias": hidden.bias, "layers.2.weight": readout.weight}
    fill(names.items(), normal, 0.4)
    initial = {f"initial.{name}": value.clone() for name, value in names.items()}
    batches = [(normal(B, T, 7), (torch.arange(B) * 3) % 4) for _ in range(STEPS)]
    optimizer = torch.optim.AdamW(names.values(), 0.02, (0.9, 0.999), 1e-8, 0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS, 0.001)
    losses = train(forward, lambda output, target: cross_entropy(output.mean(0), target), optimizer, schedule, batches)
    family.add(
        "sequences",
        {
            "network": {"input": [7], "steps": T, "layers": [
                {"kind": "linear", "features": 12, "bias": True},
                {"kind": "lif", "decay": 0.9, "threshold": 1.0, "decayInput": False, "reset": "zero", "resetDelay": False,
                 "detachReset": False, "surrogate": "triangular", "surrogateParameter": 1.0, "learnable": [], "perChannel": False},
                {"kind": "linear", "features": 4, "bias": False},
                {"kind": "leakyReadout", "decay": 0.8, "decayInput": True, "learnable": []},
            ]},
            "loss": {"kind": "crossEntropy", "reduce": "mean", "labelSmoothing": 0.0},
            "optimizer": {"kind": "adamW", "learningRate": 0.02, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weightDecay": 0.05},
            "schedule": {"kind": "cosine", "minimum": 0.001, "warmupSteps": 0, "warmupFactor": 0.0},
            "steps": STEPS,
        },
        inputs=torch.stack([x for x, _ in batches]), targets=torch.stack([target for _, target in batches]), losses=losses,
        **initial, **{f"after.{name}": value for name, value in names.items()})


def learnt(family, normal):
    hidden, readout = nn.Linear(7, 10).double(), nn.Linear(10, 4).double()
    spiking = snntorch.Leaky(torch.full((10,), 0.8, dtype=torch.float64), torch.full((10,), 0.7, dtype=torch.float64),
                             snntorch.surrogate.fast_sigmoid(5), learn_beta=True, learn_threshold=True)
    integrator = snntorch.Leaky(torch.tensor(0.9, dtype=torch.float64), learn_beta=True, reset_mechanism="none")

    def forward(x):
        membrane, output, trace = torch.zeros(B, 10, dtype=torch.float64), torch.zeros(B, 4, dtype=torch.float64), []
        for step in x.transpose(0, 1):
            spikes, membrane = spiking(hidden(step), membrane)
            _, output = integrator(readout(spikes.double()), output)
            trace.append(output)
        return torch.stack(trace)

    weights = {"layers.0.weight": hidden.weight, "layers.0.bias": hidden.bias, "layers.2.weight": readout.weight,
               "layers.2.bias": readout.bias}
    fill(weights.items(), normal, 0.4)
    names = {**weights, "layers.1.decay": spiking.beta, "layers.1.threshold": spiking.threshold, "layers.3.decay": integrator.beta}
    initial = {f"initial.{name}": value.clone() for name, value in names.items()}
    batches = [(normal(B, T, 7), (torch.arange(B) * 3) % 4) for _ in range(STEPS)]
    optimizer = torch.optim.SGD(names.values(), 0.01, 0.5)
    losses = train(forward, lambda output, target: cross_entropy(output.sum(0), target), optimizer, None, batches)
    family.add(
        "learnt",
        {
            "network": {"input": [7], "steps": T, "layers": [
                {"kind": "linear", "features": 10, "bias": True},
                {"kind": "lif", "decay": 0.5, "threshold": 1.0, "decayInput": False, "reset": "subtract", "resetDelay": True,
                 "detachReset": True, "surrogate": "fastSigmoid", "surrogateParameter": 5.0, "learnable": ["decay", "threshold"],
                 "perChannel": True},
                {"kind": "linear", "features": 4, "bias": True},
                {"kind": "leakyReadout", "decay": 0.5, "decayInput": False, "learnable": ["decay"]},
            ]},
            "loss": {"kind": "crossEntropy", "reduce": "sum", "labelSmoothing": 0.0},
            "optimizer": {"kind": "sgd", "learningRate": 0.01, "momentum": 0.5, "dampening": 0.0, "weightDecay": 0.0, "nesterov": False},
            "schedule": {"kind": "constant", "warmupSteps": 0, "warmupFactor": 0.0},
            "steps": STEPS, "tolerance": 2e-6,
        },
        inputs=torch.stack([x for x, _ in batches]), targets=torch.stack([target for _, target in batches]), losses=losses,
        **initial, **{f"after.{name}": value for name, value in names.items()})


def main():
    normal = random(9)
    family = Family("network", "SpikingJelly and snnTorch neurons, torch layers, losses and optimisers", ["snntorch", "spikingjelly", "torch"])
    images(family, normal)
    sequences(family, normal)
    learnt(family, normal)
    family.save()


if __name__ == "__main__":
    main()
