"""Every kernel against the CPU: spikes, membranes and traces exactly, gradients to 1e-5 of their largest."""
import itertools

import torch

from . import report

ops = torch.ops.spikingrx
SURROGATES = {"triangular": 1.3, "sigmoid": 4.0, "atan": 2.0, "fastSigmoid": 5.0, "boxcar": 0.5}
RESETS = ("subtract", "zero", "none")
# Half precision: gradients are rounded to it at the end, so that one unit in the last place may differ.
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12, torch.bfloat16: 2**-7, torch.float16: 2**-10}


def normal(shape, seed, dtype=torch.float32, scale=1.0):
    return (torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * scale).to(dtype)


def difference(name, found, expected, tolerance):
    """[] or what differs, relative to the largest expected value."""
    found = found.detach().cpu()
    if found.shape != expected.shape or found.dtype != expected.dtype:
        return [f"{name} is {found.dtype} {list(found.shape)}, expected {expected.dtype} {list(expected.shape)}"]
    if expected.numel() == 0 or torch.equal(found, expected):
        return []
    if tolerance == 0:
        return [f"{name}: {int((found != expected).sum())} of {expected.numel()} values differ"]
    expected = expected.double()
    error = ((found.double() - expected).abs().max() / expected.abs().max().clamp_min(1e-12)).item()
    return [] if error <= tolerance else [f"{name} differs by {error:.2e} of its largest value"]


def run_lif(current, decay, threshold, membrane, device, **options):
    """Outputs and gradients of a loss in which every output takes part."""
    def leaf(value):
        return None if value is None else value.detach().to(device).requires_grad_(True)
    inputs = [leaf(value) for value in (current, decay, threshold, membrane)]
    spikes, state, trace = ops.lif(*inputs, **options)
    loss = (spikes * normal(spikes.shape, 91, spikes.dtype).to(device)).sum()
    loss = loss + (state * normal(state.shape, 92, state.dtype).to(device)).sum().to(loss.dtype)
    if trace.numel():
        loss = loss + (trace * normal(trace.shape, 93, trace.dtype).to(device)).sum()
    loss.backward()
    return (spikes, state, trace), [value.grad for value in inputs if value is not None]


def compare_lif(device, shape, dtype=torch.float32, channels=0, membrane=True, layout=lambda x: x, seed=1, **options):
    real = torch.float64 if dtype == torch.float64 else torch.float32
    current = layout(normal(shape, seed, dtype, 2.0))
    generator = torch.Generator().manual_seed(seed)
    parameter = (lambda low, high: torch.rand(channels, generator=generator).to(real) * (high - low) + low) if channels \
        else (lambda low, high: torch.tensor((low + high) / 2, dtype=real))
    state_shape = [shape[0], *shape[2:]]
    arguments = (current, parameter(0.6, 0.95), parameter(0.3, 0.8), normal(state_shape, 5, real) if membrane else None)
    (a, b) = (run_lif(*arguments, where, **options) for where in (device, "cpu"))
    wrong = []
    for name, found, expected in zip(("spikes", "membrane", "trace"), a[0], b[0]):
        wrong += difference(name, found, expected.detach(), 0)
    names = ("current", "decay", "threshold", "membrane")
    for name, found, expected in zip(names, a[1], b[1]):
        # Sums over all neurons and steps: the order of summation is another on a device.
        loose = 10 if name in ("decay", "threshold") else 1
        half = dtype in (torch.bfloat16, torch.float16)
        tolerance = TOLERANCE[dtype] if not half or name == "current" else 1e-5
        wrong += difference(f"gradient of the {name}", found, expected, tolerance * loose)
    return [f"{list(shape)} {dtype} {options}: {line}" for line in wrong]


def every_option(device, quick):
    wrong = []
    dtypes = (torch.float32, torch.bfloat16) if quick else tuple(TOLERANCE)
    kinds = list(SURROGATES.items())[:2] if quick else list(SURROGATES.items())
    for dtype, reset, delay, detach, decayed, (kind, value) in itertools.product(
            dtypes, RESETS, (False, True), (False, True), (False, True), kinds):
        wrong += compare_lif(device, (3, 37, 64), dtype, reset=reset, reset_delay=delay, detach_reset=detach,
                             decay_input=decayed, surrogate=kind, surrogate_parameter=value, trace=decayed)
    return wrong


def shapes(device, quick):
    wrong = []
    for shape in ((1, 1, 1), (5, 4, 3), (2, 4, 1023), (2, 20, 8, 3, 5), (0, 5, 4), (2, 5, 0), (2, 0, 4), (3, 16, 128),
                  (3, 17, 128), (1000, 2, 4)):
        for channels in (0, shape[2]):
            for dtype in (torch.float32, torch.bfloat16):
                wrong += compare_lif(device, shape, dtype, channels=channels, trace=True)
    for steps in (1, 2, 16, 17, 40):
        wrong += compare_lif(device, (4, 1, 32), steps=steps, membrane=False)
    wrong += compare_lif(device, (6, 9, 32), layout=lambda x: x.transpose(0, 1), membrane=False)
    wrong += compare_lif(device, (6, 9, 32), layout=lambda x: x[..., ::2], membrane=False)
    # Contiguous, but not at a multiple of 16 bytes: no packs.
    wrong += compare_lif(device, (2, 20, 64), layout=lambda x: torch.cat([x.new_zeros(1), x.flatten()])[1:].view(x.shape))
    # Enough threads for packs on any GPU; the other cases take single neurons.
    for dtype in (torch.float32,) if quick else (torch.float32, torch.bfloat16, torch.float16):
        wrong += compare_lif(device, (64, 20, 4, 64, 64), dtype, channels=4, trace=False)
        wrong += compare_lif(device, (64, 8, 16384), dtype, reset_delay=True, reset="zero", trace=True)
    return wrong


def surrogates(device):
    wrong = []
    for dtype, (kind, value), count in itertools.product(TOLERANCE, SURROGATES.items(), (0, 1, 1027, 1 << 16)):
        gradients = []
        for where in (device, "cpu"):
            x = normal((count,), 3, dtype).to(where).requires_grad_(True)
            (ops.surrogate(x, kind, value) * normal((count,), 4, dtype).to(where)).sum().backward()
            gradients.append(x.grad)
        wrong += difference(f"{kind} {dtype} [{count}]", *gradients, TOLERANCE[dtype])
    return wrong


def spike_norm(device):
    wrong = []
    for by_step, training, shape in itertools.product((False, True), (True, False), ((3, 6, 5, 4, 4), (8, 3, 70, 7, 7))):
        results = []
        for where in (device, "cpu"):
            x = (normal(shape, 7) + torch.arange(shape[1]).view(1, -1, 1, 1, 1)).to(where).requires_grad_(True)
            gamma, beta = (normal((shape[2],), seed).to(where).requires_grad_(True) for seed in (8, 9))
            running = shape[1:3] if by_step else shape[2:3]
            mean, variance = normal(running, 10).to(where), normal(running, 11).abs().to(where) + 0.5
            out = ops.spike_norm(x, gamma, beta, mean, variance, training)
            (out * normal(shape, 12).to(where)).sum().backward()
            results.append((out, mean, variance, x.grad, gamma.grad, beta.grad))
        for name, found, expected in zip(("output", "running mean", "running variance", "gradient", "gamma", "beta"),
                                         *results):
            wrong += [f"by step {by_step}, training {training}, {shape}: {line}"
                      for line in difference(name, found, expected.detach(), 1e-5)]
    return wrong


def leaky(device):
    wrong = []
    for steps in (0, 40):
        results = []
        for where in (device, "cpu"):
            x = normal((4, 1 if steps else 23, 33), 13).to(where).requires_grad_(True)
            decay = torch.tensor(0.8).to(where).requires_grad_(True)
            trace, _ = ops.leaky_integrate(x, decay, None, steps=steps)
            (trace * normal(trace.shape, 14).to(where)).sum().backward()
            results.append((trace, x.grad, decay.grad))
        for name, found, expected, tolerance in zip(("trace", "gradient", "decay"), *results, (0, 1e-5, 1e-4)):
            wrong += difference(name, found, expected.detach(), tolerance)
    return wrong


def run(options, files):
    device, quick = options.device, options.quick
    report.check("LIF: every reset, delay, detach, gain, surrogate and dtype", lambda: every_option(device, quick))
    report.check("LIF: shapes, channels, constant currents, layouts, packs", lambda: shapes(device, quick))
    report.check("leaky integration", lambda: leaky(device))
    report.check("surrogate gradients", lambda: surrogates(device))
    report.check("SpikeNorm: statistics shared and by step, training and evaluation", lambda: spike_norm(device))
