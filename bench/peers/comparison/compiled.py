"""The hand-written LIF by torch.compile (Inductor), in chunks of steps: the graph of all steps would take minutes to compile.

A chunk is the longest of at most CHUNK steps that divides T, so that one graph serves all chunks.
"""

import torch

from peer import Unsupported
from torch_peer import lif_case, linear_lif_case, start
from unbind import DECAY, THRESHOLD, WIDTH

CHUNK = 25


def spike(x):
    """H(x) with the gradient of a function whose derivative is max(0, 1 - |x| / a) / a, in operators that Inductor fuses."""
    clamped = x.clamp(-WIDTH, WIDTH)
    ramp = clamped / WIDTH - 0.5 * clamped * clamped.abs() / WIDTH**2
    return (x >= 0).to(x.dtype) + (ramp - ramp.detach())  # the values of a spike stay 0 and 1


def chunk(current, membrane):
    spikes = []
    for step in current.unbind(0):
        membrane = DECAY * membrane + (1 - DECAY) * step
        fired = spike(membrane - THRESHOLD)
        membrane = membrane - THRESHOLD * fired
        spikes.append(fired)
    return torch.stack(spikes), membrane


def fire():
    compiled = torch.compile(chunk, dynamic=False, fullgraph=True)

    def run(current):
        size = next(n for n in range(min(CHUNK, len(current)), 0, -1) if len(current) % n == 0)
        if len(current) > CHUNK and size < 5:
            raise Unsupported(f"no chunk of 5 to {CHUNK} steps divides {len(current)}")
        membrane = torch.zeros_like(current[0])
        spikes = []
        for part in current.split(size):
            fired, membrane = compiled(part, membrane)
            spikes.append(fired)
        return torch.cat(spikes)

    return run


if __name__ == "__main__":
    start(
        {
            "lif": lambda _, inputs: lif_case(fire, inputs, compiles=True),
            "linear-lif": lambda _, inputs: linear_lif_case(fire, inputs, compiles=True),
        }
    )
