"""Bytes per second of the LIF kernels against a device copy, and against SpikingJelly's kernels where installed.

Bytes are those that must be moved: forward reads the current and writes the spikes; backward reads the current and the
gradient and writes the gradient. What is moved besides (states, the rereading of a chunk) counts against the kernel.
"""
import statistics
import time

import torch

from . import report
from .compare import ops

GOAL = 0.8  # of a copy's bandwidth
SIZES = ((16, 16, 1024), (128, 8, 32 * 28 * 28), (64, 16, 64 * 14 * 14), (256, 4, 4096), (64, 100, 128 * 128),
         (32, 500, 4096), (128, 8, 32 * 27 * 27))  # [B, T, N]; the last row does not fit packs


def median_ms(device, body, repeats):
    for _ in range(3):
        body()
    times = []
    for _ in range(repeats):
        if device == "cuda":
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            begin.record()
            body()
            end.record()
            end.synchronize()
            times.append(begin.elapsed_time(end))
        else:
            began = time.perf_counter()
            body()
            times.append((time.perf_counter() - began) * 1e3)
    return statistics.median(times)


def copy_rate(device, elements, repeats):
    source = torch.empty(elements, device=device).normal_()
    target = torch.empty_like(source)
    return 2 * source.nbytes / median_ms(device, lambda: target.copy_(source), repeats) / 1e6


def lif_rates(device, shape, dtype, repeats):
    """GB/s of the kernels alone, without autograd."""
    current = torch.empty(shape, device=device, dtype=dtype).normal_()
    decay, threshold = torch.tensor(0.9), torch.tensor(0.5)
    gradient = torch.randn_like(current)
    forward = lambda: ops.lif_forward(current, decay, threshold, None, 0, True, 0, False, False, 1)
    states = forward()[3]
    backward = lambda: ops.lif_backward(gradient, None, None, current, decay, threshold, None, 0, True, 0, False, False,
                                        0, 1.0, False, states)
    return (2 * current.nbytes / median_ms(device, forward, repeats) / 1e6,
            3 * current.nbytes / median_ms(device, backward, repeats) / 1e6)


def spikingjelly_ms(shape, repeats):
    """Forward and backward of LIFNode with decay_input, soft reset and the triangular surrogate, by backend."""
    from spikingjelly.activation_based import neuron, surrogate

    times = {}
    for backend in ("cupy", "triton"):
        try:
            node = neuron.LIFNode(tau=10.0, decay_input=True, v_reset=None, v_threshold=0.5, step_mode="m",
                                  backend=backend, surrogate_function=surrogate.PiecewiseQuadratic(alpha=1.0)).cuda()
            current = torch.randn((shape[1], shape[0], shape[2]), device="cuda", requires_grad=True)

            def step():
                node.reset()
                node(current).sum().backward()
            times[backend] = median_ms("cuda", step, repeats)
        except Exception as error:
            print(f"  SpikingJelly {backend}: {str(error).splitlines()[0] if str(error) else type(error).__name__}")
    return times


def ours_ms(device, shape, repeats):
    current = torch.empty(shape, device=device).normal_().requires_grad_(True)
    decay, threshold = torch.tensor(0.9), torch.tensor(0.5)
    return median_ms(device, lambda: ops.lif(current, decay, threshold)[0].sum().backward(), repeats)


def run(options, files):
    device = options.device
    sizes = ((4, 8, 256), (4, 8, 255)) if options.quick or device == "cpu" else SIZES
    repeats = 5 if options.quick or device == "cpu" else 30
    copy = copy_rate(device, (1 << 28) if len(sizes) == len(SIZES) else (1 << 16), repeats)
    print(f"  device copy: {copy:.0f} GB/s\n  {'[B, T, N]':>20} {'dtype':>9} {'forward':>16} {'backward':>16}")
    below = []
    for shape in sizes:
        for dtype in (torch.float32, torch.bfloat16):
            rates = lif_rates(device, shape, dtype, repeats)
            cells = " ".join(f"{rate:7.0f} GB/s {100 * rate / copy:2.0f}%" for rate in rates)
            print(f"  {str(list(shape)):>20} {str(dtype)[6:]:>9} {cells}")
            large = shape[0] * shape[1] * shape[2] * 4 > 200e6  # smaller ones stay in the cache or end in a moment
            below += [f"{list(shape)} {dtype}: {100 * rate / copy:.0f} %" for rate in rates
                      if large and shape[2] % 4 == 0 and rate < GOAL * copy]
    if device == "cpu":
        report.skip(f"at least {GOAL:.0%} of a copy's bandwidth, SpikingJelly", "they need a GPU")
        return
    report.check(f"at least {GOAL:.0%} of a copy's bandwidth above 200 MB", lambda: below)
    try:
        import spikingjelly  # noqa: F401
    except ImportError:
        report.skip("SpikingJelly's kernels", "pip install spikingjelly cupy-cuda13x")
        return
    for shape in sizes[:2] if options.quick else ((500, 16, 1024), (32, 16, 64 * 14 * 14)):
        theirs, ours = spikingjelly_ms(shape, repeats), ours_ms(device, shape, repeats)
        print(f"  {list(shape)} forward and backward: {ours:.3f} ms", *(f"{k} {v:.3f} ms" for k, v in theirs.items()))
        report.check(f"not slower than SpikingJelly at {list(shape)}", lambda: [
            f"{backend} takes {time:.3f} ms, we {ours:.3f}" for backend, time in theirs.items() if ours > time])
