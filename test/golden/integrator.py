"""spikingrx::leaky_integrate against neurons that never fire: snnTorch's Leaky without reset, SpikingJelly's NonSpikingLIFNode
and its LIFNode with an infinite threshold.

    mem = beta mem + x              snnTorch                      ours: decayInput false; its learnt beta is our decay
    V = V + (X - V) / tau           SpikingJelly                  ours: decayInput true, tau = 1 / (1 - beta)

Gradients of sum(weights * trace).
"""

import math

import snntorch
import torch
from spikingjelly.activation_based import neuron

from vectors import DTYPES, Family, leaf, random, swap_time

B, T, D = 2, 9, 13
DECAY = 0.85


def main():
    normal = random(4)
    current, weights = normal(B, T, D), normal(B, T, D)
    family = Family("integrator", "snnTorch Leaky, SpikingJelly NonSpikingLIFNode and LIFNode", ["snntorch", "spikingjelly", "torch"])
    family.share(current=current, weights=weights)

    for dtype, kind in DTYPES.items():
        node = snntorch.Leaky(torch.tensor(DECAY, dtype=kind), learn_beta=True, reset_mechanism="none")
        x, membrane, trace = leaf(current, kind), torch.zeros(B, D, dtype=kind), []
        for t in range(T):
            _, membrane = node(x[:, t], membrane)
            trace.append(membrane)
        trace = torch.stack(trace, 1)
        (trace * weights.to(kind)).sum().backward()
        family.add(f"snnTorch Leaky, {dtype}", {"decay": DECAY, "decayInput": False, "dtype": dtype},
                   trace=trace, gradient=x.grad, decayGradient=node.beta.grad)

        node = neuron.NonSpikingLIFNode(1 / (1 - DECAY))
        x = leaf(current, kind)
        trace = torch.stack(node(swap_time(x)), 1)
        (trace * weights.to(kind)).sum().backward()
        family.add(f"SpikingJelly NonSpikingLIFNode, {dtype}", {"decay": DECAY, "decayInput": True, "dtype": dtype},
                   trace=trace, gradient=x.grad)

    for decay_input in (True, False):
        node = neuron.LIFNode(1 / (1 - DECAY), decay_input, math.inf, 0.0, step_mode="m", store_v_seq=True)
        x = leaf(swap_time(current), torch.float64)
        node(x)
        (node.v_seq * swap_time(weights)).sum().backward()
        family.add(f"SpikingJelly LIFNode without threshold, {'decayed' if decay_input else 'full'} input",
                   {"decay": DECAY, "decayInput": decay_input, "dtype": "float64"},
                   trace=swap_time(node.v_seq), gradient=swap_time(x.grad))
    family.save()


if __name__ == "__main__":
    main()
