"""What the peers on Python's torch share: leaves, gradients, and training loops around a neuron of theirs.

A library is described by its neuron alone, `fire(shape) -> function([T, B, ...] -> spikes of the same shape)`; the cases
around it are the same for all of them, written as their tutorials do.
"""

import importlib.metadata
import os

import torch
from torch import nn

from peer import LazyBytes, Unsupported, Work, serve


def leaf(values):
    return torch.from_numpy(values).requires_grad_()


def backward_work(leaves, forward, weights, **options):
    """forward() gives spikes; their gradient is `weights`; the gradient of the first leaf is what is compared."""

    def run():
        for one in leaves:
            one.grad = None
        spikes = forward()
        spikes.backward(weights)
        return {"spikes": LazyBytes(spikes.detach()), "gradient": leaves[0].grad}

    return Work(run, **options)


def lif_case(fire, inputs, **options):
    current, weights = leaf(inputs["current"]), torch.from_numpy(inputs["weights"])
    neuron = fire()
    return backward_work([current], lambda: neuron(current), weights, **options)


def linear_lif_case(fire, inputs, **options):
    """Linear on all steps at once, then the neuron; gradients of input, weight and bias."""
    current, weights = leaf(inputs["current"]), torch.from_numpy(inputs["weights"])
    weight, bias = leaf(inputs["weight"]), leaf(inputs["bias"])
    neuron = fire()
    forward = lambda: neuron(nn.functional.linear(current, weight, bias))  # noqa: E731
    return backward_work([current, weight, bias], forward, weights, **options)


def start(cases, *packages):
    """Serves `cases`, {kind: build(case, inputs)}, with the threads that the environment says."""
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))

    def build(case, inputs):
        if case["kind"] not in cases:
            raise Unsupported("not a case of this peer")
        return cases[case["kind"]](case, inputs)

    serve(build, lambda: {name: importlib.metadata.version(name) for name in ("torch", *packages)})
