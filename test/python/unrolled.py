"""The definitions, written step by step in torch, for autograd to differentiate: what spikingrx's operators are compared with."""

import math

import torch
from torch.nn.functional import batch_norm


def gradient_of(kind, x, p):
    if kind == "triangular":
        return (1 - x.abs() / p).clamp(min=0) / p
    if kind == "sigmoid":
        s = torch.sigmoid(p * x)
        return p * s * (1 - s)
    if kind == "atan":
        return (p / 2) / (1 + (math.pi * p * x / 2) ** 2)
    if kind == "fastSigmoid":
        return 1 / (1 + p * x.abs()) ** 2
    if kind == "boxcar":
        return (x.abs() < p).to(x.dtype) / (2 * p)
    raise ValueError(kind)


class Spike(torch.autograd.Function):
    """The Heaviside step, 1 from 0 on, with a surrogate's gradient."""

    @staticmethod
    def forward(ctx, x, kind, parameter):
        ctx.save_for_backward(x)
        ctx.surrogate = kind, parameter
        return (x >= 0).to(x.dtype)

    @staticmethod
    def backward(ctx, gradient):
        kind, parameter = ctx.surrogate
        return gradient * gradient_of(kind, ctx.saved_tensors[0], parameter), None, None


def lif(current, decay, threshold, membrane=None, *, steps=0, decay_input=True, reset="subtract", reset_delay=False,
        detach_reset=False, surrogate="triangular", surrogate_parameter=1.0):
    """spikes [B, T, ...], membrane [B, ...], trace [B, T, ...] (membrane before reset)."""
    shape = [-1] + [1] * (current.dim() - 3)
    decay, threshold = (value.view(shape) if value.dim() else value for value in (decay, threshold))
    gain = 1 - decay if decay_input else 1
    constant = steps > 0 and current.size(1) == 1
    u = torch.zeros_like(current[:, 0]) if membrane is None else membrane

    def fire(u):
        return Spike.apply(u - threshold, surrogate, surrogate_parameter)

    def kept(spike):
        return spike.detach() if detach_reset else spike

    spikes, trace = [], []
    for t in range(steps or current.size(1)):
        drive = gain * current[:, 0 if constant else t]
        if reset_delay and reset == "subtract":
            u = decay * u + drive - threshold * kept(fire(u))
        elif reset_delay and reset == "zero":
            u = decay * (u * (1 - kept(fire(u)))) + drive
        else:
            u = decay * u + drive
        spike = fire(u)
        spikes.append(spike)
        trace.append(u)
        if not reset_delay and reset == "subtract":
            u = u - threshold * kept(spike)
        if not reset_delay and reset == "zero":
            u = u * (1 - kept(spike))
    return torch.stack(spikes, 1), u, torch.stack(trace, 1)


def spike_norm(x, gamma, beta, running_mean, running_variance, training, momentum, epsilon):
    """batch_norm once a step; running statistics [C] or [T, C], updated in place."""
    if x.dim() == 4:
        mean, variance = (value[0] if value.dim() == 2 else value for value in (running_mean, running_variance))
        return batch_norm(x, mean, variance, gamma, beta, training, momentum, epsilon)
    steps = []
    for t in range(x.size(1)):
        mean, variance = (value[t] if value.dim() == 2 else value for value in (running_mean, running_variance))
        # torch's running variance is the unbiased one.
        steps.append(batch_norm(x[:, t], mean, variance, gamma, beta, training, momentum, epsilon))
    return torch.stack(steps, 1)
