"""LIF written by hand on torch: one step as the equations say, the input cut into steps once by `unbind`."""

import torch

from torch_peer import lif_case, linear_lif_case, start

DECAY, THRESHOLD, WIDTH = 0.9, 1.0, 1.0


class Spike(torch.autograd.Function):
    """H(x); backward max(0, 1 - |x| / a) / a."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x >= 0).to(x.dtype)

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * (1 - x.abs() / WIDTH).clamp_(min=0) / WIDTH


def fire():
    def run(current):
        membrane = torch.zeros_like(current[0])
        spikes = []
        for step in current.unbind(0):
            membrane = DECAY * membrane + (1 - DECAY) * step
            spike = Spike.apply(membrane - THRESHOLD)
            membrane = membrane - THRESHOLD * spike
            spikes.append(spike)
        return torch.stack(spikes)

    return run


if __name__ == "__main__":
    start({"lif": lambda _, inputs: lif_case(fire, inputs), "linear-lif": lambda _, inputs: linear_lif_case(fire, inputs)})
