"""snnTorch's Leaky, step by step over the unbound input.

    U[t] = decay U[t-1] + I[t] - theta S[t-1]       S detached; fires above theta

Other than the reference neuron: the reset comes a step later and outside the gradient, the input is not scaled, and the
surrogate is the fast sigmoid of slope 25. It is compared with spikingrx in the same form (`resetDelay`, `detachReset`,
`decayInput: false`). Currents are made for neurons that scale them by 1 - decay: here they are scaled beforehand.
"""

import numpy as np
import snntorch
import torch
from snntorch import surrogate

import networks
from torch_peer import lif_case, linear_lif_case, start


DECAY = 0.9


def scaled(inputs, *names):
    return {**inputs, **{name: inputs[name] * np.float32(1 - DECAY) for name in names}}


def fire(decay=DECAY, threshold=1.0, decay_input=False):
    leaky = snntorch.Leaky(decay, threshold, surrogate.fast_sigmoid(slope=25))

    def run(current):
        membrane = torch.zeros_like(current[0])
        spikes = []
        for step in current.unbind(0):
            spike, membrane = leaky(step, membrane)
            spikes.append(spike)
        return torch.stack(spikes)

    return run


if __name__ == "__main__":
    start(
        {
            "lif": lambda case, inputs: lif_case(fire, scaled(inputs, "current")),
            "linear-lif": lambda case, inputs: linear_lif_case(fire, scaled(inputs, "weight", "bias")),
            "sew": lambda case, inputs: networks.sew_case(fire, inputs, by_step=True),
            "mnist": lambda case, inputs: networks.train_case(fire, case, inputs, hoisted=True),
        },
        "snntorch",
    )
