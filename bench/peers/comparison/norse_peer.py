"""Norse's LIFBox, its neuron without a synaptic current, with the reset by subtraction and the triangle as surrogate.

    v + dt tau_mem_inv (x - v)         dt tau_mem_inv = 1 - decay
    z = H(v - v_th)                    fires above the threshold, we at it
    (1 - z) v + z (v - v_th)           v - z v_th, also in the gradient

so it computes what we compute. Norse's own sequence module indexes its input at each step, which makes backward quadratic in
T; here the input is unbound once.
"""

import torch
from norse.torch.functional.lif_box import LIFBoxFeedForwardState, LIFBoxParameters, lif_box_feed_forward_step
from norse.torch.functional.reset import reset_subtract

from torch_peer import lif_case, linear_lif_case, start

PARAMETERS = LIFBoxParameters(
    tau_mem_inv=torch.tensor(100.0),
    v_leak=torch.tensor(0.0),
    v_th=torch.tensor(1.0),
    v_reset=torch.tensor(0.0),
    method="triangle",
    alpha=torch.tensor(1.0),
    reset_method=reset_subtract,
)


def fire():
    def run(current):
        state = LIFBoxFeedForwardState(v=torch.zeros_like(current[0]))
        spikes = []
        for step in current.unbind(0):
            spike, state = lif_box_feed_forward_step(step, state, PARAMETERS, dt=0.001)
            spikes.append(spike)
        return torch.stack(spikes)

    return run


if __name__ == "__main__":
    start(
        {"lif": lambda _, inputs: lif_case(fire, inputs), "linear-lif": lambda _, inputs: linear_lif_case(fire, inputs)},
        "norse",
    )
