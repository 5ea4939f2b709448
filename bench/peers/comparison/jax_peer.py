"""LIF by jax.lax.scan and jax.vjp, compiled ahead of time; compile time is told apart."""

import importlib.metadata
import time

import jax
import jax.numpy as jnp
import numpy as np

from peer import LazyBytes, Unsupported, Work, serve

DECAY, THRESHOLD, WIDTH = np.float32(0.9), np.float32(1), np.float32(1)


@jax.custom_vjp
def spike(x):
    return (x >= 0).astype(x.dtype)


spike.defvjp(lambda x: (spike(x), x), lambda x, gradient: (gradient * jnp.maximum(0, 1 - jnp.abs(x) / WIDTH) / WIDTH,))


def lif(current):
    def step(membrane, at):
        membrane = DECAY * membrane + (1 - DECAY) * at
        fired = spike(membrane - THRESHOLD)
        return membrane - THRESHOLD * fired, fired

    return jax.lax.scan(step, jnp.zeros_like(current[0]), current)[1]


def linear_lif(current, weight, bias):
    return lif(jnp.einsum("tbi,oi->tbo", current, weight) + bias)


FUNCTIONS = {"lif": (lif, ()), "linear-lif": (linear_lif, ("weight", "bias"))}


def build(case, inputs):
    if case["kind"] not in FUNCTIONS:
        raise Unsupported("not a case of this peer")
    function, parameters = FUNCTIONS[case["kind"]]
    arguments = [jax.device_put(inputs[name]) for name in ("current", *parameters)]
    weights = jax.device_put(inputs["weights"])

    def both(weights, *arguments):
        spikes, back = jax.vjp(function, *arguments)
        return spikes, back(weights)

    began = time.perf_counter()
    compiled = jax.jit(both).lower(weights, *arguments).compile()
    seconds = time.perf_counter() - began

    def run():
        spikes, gradients = jax.block_until_ready(compiled(weights, *arguments))
        return {"spikes": LazyBytes(spikes), "gradient": gradients[0]}

    if case.get("warm"):
        run()
    return Work(run, compiled_in=seconds)


if __name__ == "__main__":
    serve(build, lambda: {name: importlib.metadata.version(name) for name in ("jax", "jaxlib")})
