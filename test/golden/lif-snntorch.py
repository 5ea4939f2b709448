"""spikingrx::lif against snnTorch's Leaky: the delayed reset.

    mem = beta mem + x - reset threshold,  reset = [mem before > threshold], detached      reset_mechanism 'subtract'
    mem = beta (1 - reset) mem + x                                                         reset_mechanism 'zero'
    mem = beta mem + x                                                                     reset_mechanism 'none'

Ours: resetDelay true, decayInput false, detachReset true. snnTorch fires above the threshold and we at it: no value here is equal.
Gradients are those of sum(weights * spikes) + sum(membraneWeights * membrane after the last step), also for snnTorch's learnt
beta and threshold. snnTorch gives the spikes in float32 whatever the input, so the weights are numbers float32 can hold;
beta and threshold are passed as tensors of the input's dtype.
"""

import snntorch
import torch
from snntorch import surrogate

from vectors import DTYPES, Family, check_margin, leaf, random

B, T, C, N = 2, 10, 2, 7
DECAY, THRESHOLD = 0.9, 1.0
# name: snnTorch's function, our parameter
SURROGATES = {"fastSigmoid": (surrogate.fast_sigmoid, 25.0), "atan": (surrogate.atan, 2.0), "sigmoid": (surrogate.sigmoid, 4.0)}


def main():
    normal = random(11)
    current = 0.6 * normal(B, T, C, N) + 0.25
    weights, membrane_weights = normal(B, T, C, N).float().double(), normal(B, C, N)
    family = Family("lif-snntorch", "snnTorch Leaky", ["snntorch", "torch"])
    family.share(current=current, weights=weights, membraneWeights=membrane_weights)

    for reset in ("subtract", "zero", "none"):
        for name, (make, parameter) in SURROGATES.items():
            for dtype, kind in DTYPES.items():
                if dtype == "float32" and name != "fastSigmoid":
                    continue
                node = snntorch.Leaky(
                    torch.tensor(DECAY, dtype=kind), torch.tensor(THRESHOLD, dtype=kind), make(parameter),
                    learn_beta=True, learn_threshold=True, reset_mechanism=reset, reset_delay=True)
                x = leaf(current, kind)
                membrane = torch.zeros(B, C, N, dtype=kind)
                spikes, trace = [], []
                for t in range(T):
                    spike, membrane = node(x[:, t], membrane)
                    spikes.append(spike)
                    trace.append(membrane)
                spikes, trace = torch.stack(spikes, 1), torch.stack(trace, 1)
                check_margin(trace, THRESHOLD, spikes)
                ((spikes * weights.to(kind)).sum() + (membrane * membrane_weights.to(kind)).sum()).backward()
                options = {"decay": DECAY, "threshold": THRESHOLD, "decayInput": False, "reset": reset, "resetDelay": True,
                           "detachReset": True, "surrogate": name, "surrogateParameter": parameter, "dtype": dtype}
                family.add(f"{reset}, {name}, {dtype}", options, spikes=spikes.bool(), trace=trace, membrane=membrane,
                           gradient=x.grad, decayGradient=node.beta.grad, thresholdGradient=node.threshold.grad)
    family.save()


if __name__ == "__main__":
    main()
