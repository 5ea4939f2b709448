"""SpikingJelly's LIFNode over all steps: `tau = 1 / (1 - decay)`, reset by subtraction, PiecewiseQuadratic as triangle.

    python spikingjelly_peer.py [inductor]     inductor: the node through torch.compile, which unrolls the steps
"""

import importlib.metadata
import sys

import torch
from spikingjelly.activation_based import functional, neuron, surrogate

import networks
from peer import Unsupported
from torch_peer import lif_case, linear_lif_case, start

INDUCTOR = sys.argv[1:] == ["inductor"]
LARGEST_GRAPH = 100
VERSION = importlib.metadata.version("spikingjelly")


def fire(decay=0.9, threshold=1.0, decay_input=True):
    node = neuron.LIFNode(
        1 / (1 - decay),
        decay_input=decay_input,
        v_threshold=threshold,
        v_reset=None,
        surrogate_function=surrogate.PiecewiseQuadratic(alpha=1.0),
        step_mode="m",
    )
    call = torch.compile(node, dynamic=False) if INDUCTOR else node

    def run(current):
        functional.reset_net(node)
        return call(current)

    return run


def compiled(case):
    if INDUCTOR and case["steps"] > LARGEST_GRAPH:
        raise Unsupported(f"torch.compile unrolls the steps: more than {LARGEST_GRAPH} compile for minutes")
    return {"compiles": INDUCTOR}


CASES = {
    "lif": lambda case, inputs: lif_case(fire, inputs, **compiled(case)),
    "linear-lif": lambda case, inputs: linear_lif_case(fire, inputs, **compiled(case)),
}
if not INDUCTOR:
    CASES |= {
        "sew": lambda case, inputs: networks.sew_case(fire, inputs, by_step=False),
        "mnist": lambda case, inputs: networks.train_case(fire, case, inputs, hoisted=False),
        "predict": lambda case, inputs: networks.predict_case(fire, case, inputs),
    }

if __name__ == "__main__":
    start(CASES, "spikingjelly")
