"""spikingrx::lif against SpikingJelly's LIFNode and ParametricLIFNode.

    V = V + (X - V) / tau          decay_input      ours: U = beta U + (1 - beta) I,  tau = 1 / (1 - beta)
    V = V - V / tau + X            otherwise        ours: U = beta U + I
    V = V - S v_threshold          v_reset=None     ours: reset 'subtract'
    V = (1 - S) V                  v_reset=0.       ours: reset 'zero'

Surrogates: PiecewiseQuadratic(1 / a) is 'triangular' of width a, Sigmoid(k) and ATan(a) carry our parameters,
Rect(1 / (2 w)) is 'boxcar' of half width w.

ParametricLIFNode learns w with 1 / tau = sigmoid(w), so decay = 1 - sigmoid(w) and dL/ddecay = -dL/dw / (decay (1 - decay)).

Gradients are those of sum(weights * spikes); where the decay is learnt, of sum(weights * spikes) + sum(membraneWeights * membrane).
"""

import torch
from spikingjelly.activation_based import neuron, surrogate

from vectors import DTYPES, Family, check_margin, leaf, random, swap_time

B, T, C, N = 2, 8, 2, 7
# name: SpikingJelly's class, its alpha from our parameter, our parameter
SURROGATES = {
    "triangular": (surrogate.PiecewiseQuadratic, lambda a: 1 / a, 0.8),
    "sigmoid": (surrogate.Sigmoid, lambda k: k, 4.0),
    "atan": (surrogate.ATan, lambda a: a, 2.0),
    "boxcar": (surrogate.Rect, lambda w: 1 / (2 * w), 0.5),
}
RESETS = {"subtract": None, "zero": 0.0}
# decay_input: decay, threshold
NEURONS = {True: (0.7, 0.6), False: (0.9, 1.0)}


def settings(decay_input, reset, detach, name):
    decay, threshold = NEURONS[decay_input]
    make, alpha, parameter = SURROGATES[name]
    arguments = dict(decay_input=decay_input, v_threshold=threshold, v_reset=RESETS[reset],
                     surrogate_function=make(alpha=alpha(parameter)), detach_reset=detach, step_mode="m")
    options = {"decay": decay, "threshold": threshold, "decayInput": decay_input, "reset": reset, "detachReset": detach,
               "surrogate": name, "surrogateParameter": parameter}
    return 1 / (1 - decay), arguments, options


def check(node, current, options):
    """The margin of the membrane before the reset, rebuilt from SpikingJelly's membranes after it."""
    node.store_v_seq = True
    x = swap_time(current)
    spikes = node(x)
    after = node.v_seq.roll(1, 0)
    after[0] = 0
    gain = 1 - options["decay"] if options["decayInput"] else 1
    check_margin(options["decay"] * after + gain * x, options["threshold"], spikes)
    node.store_v_seq = False
    node.reset()


def main():
    normal = random(3)
    drive, weights, membrane_weights = normal(B, T, C, N), normal(B, T, C, N), normal(B, C, N)
    currents = {True: 1.2 * drive + 0.8, False: 0.5 * drive + 0.2}
    family = Family("lif-spikingjelly", "SpikingJelly LIFNode and ParametricLIFNode", ["spikingjelly", "torch"])
    family.share(decayedCurrent=currents[True], fullCurrent=currents[False], weights=weights, membraneWeights=membrane_weights)

    for decay_input in (True, False):
        for reset in RESETS:
            for detach in (False, True):
                title = f"{reset} {'detached' if detach else 'attached'}, {'decayed' if decay_input else 'full'} input"
                for name in SURROGATES:
                    for dtype, kind in DTYPES.items():
                        if dtype == "float32" and name != "triangular":
                            continue
                        tau, arguments, options = settings(decay_input, reset, detach, name)
                        node = neuron.LIFNode(tau, **arguments)
                        check(node, currents[decay_input], options)
                        x = leaf(swap_time(currents[decay_input]), kind)
                        spikes = node(x)
                        (spikes * swap_time(weights.to(kind))).sum().backward()
                        family.add(f"{title}, {name}, {dtype}", {**options, "dtype": dtype},
                                   spikes=swap_time(spikes).bool(), membrane=node.v, gradient=swap_time(x.grad))

                tau, arguments, options = settings(decay_input, reset, detach, "atan")
                node = neuron.ParametricLIFNode(tau, **arguments).double()
                decay = options["decay"]
                node.w.data = torch.tensor(1 - decay, dtype=torch.float64).logit()
                x = leaf(swap_time(currents[decay_input]), torch.float64)
                spikes = node(x)
                ((spikes * swap_time(weights)).sum() + (node.v * membrane_weights).sum()).backward()
                family.add(f"{title}, decay learnt", {**options, "dtype": "float64"},
                           spikes=swap_time(spikes).bool(), membrane=node.v, gradient=swap_time(x.grad),
                           decayGradient=-node.w.grad / (decay * (1 - decay)))
    family.save()


if __name__ == "__main__":
    main()
