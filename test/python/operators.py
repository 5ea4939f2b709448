"""Loads spikingrx's compute core into a Python process and compares its operators with torch, in every combination of options.

    python operators.py spikingrx.tNNN.so       prints JSON {group: {"cases": n, "failures": [what]}}

float64: values and gradients may differ by 1e-12 of the largest magnitude, from the order in which sums are taken; spikes not at all.
Where a function is smooth, torch.autograd.gradcheck also compares its gradient with finite differences.
"""

import json
import sys
from itertools import product

import torch
import unrolled
from torch.autograd import gradcheck
from torch.nn.functional import conv2d

torch.ops.load_library(sys.argv[1])
ops = torch.ops.spikingrx

SURROGATES = {"triangular": 0.7, "sigmoid": 4.0, "atan": 2.0, "fastSigmoid": 5.0, "boxcar": 0.5}
report = {}
generator = torch.Generator().manual_seed(1)


def normal(*shape, scale=1.0, offset=0.0):
    return scale * torch.randn(*shape, generator=generator, dtype=torch.float64) + offset


def leaf(tensor):
    return tensor.detach().clone().requires_grad_()


class Group:
    def __init__(self, name):
        self.entry = report.setdefault(name, {"cases": 0, "failures": []})

    def case(self, what, check):
        self.entry["cases"] += 1
        try:
            problem = check()
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
        if problem:
            self.entry["failures"].append(f"{what}: {problem}"[:300])


def differs(ours, theirs, names, relative=1e-12):
    """The first pair that is too far apart, in words; relative 0 asks for equality."""
    for name, got, wanted in zip(names, ours, theirs, strict=True):
        if (got is None) != (wanted is None):
            return f"{name}: {got} instead of {wanted}"
        if wanted is None:
            continue
        if got.shape != wanted.shape or got.dtype != wanted.dtype:
            return f"{name}: {got.dtype} {list(got.shape)} instead of {wanted.dtype} {list(wanted.shape)}"
        allowed = 0 if name == "spikes" else relative
        scale = max(wanted.abs().max().item(), 1e-30) if wanted.numel() else 1
        difference = (got - wanted).abs().max().item() if wanted.numel() else 0
        if not difference <= allowed * scale:
            return f"{name}: differs by {difference:.3g}, largest {scale:.3g}"
    return None


def compare(ours, theirs, inputs, names, seed=0):
    """Values, and the gradients of one random weighting of all outputs that have one."""
    results = []
    for function in (ours, theirs):
        leaves = [leaf(value) if value is not None and value.is_floating_point() else value for value in inputs]
        outputs = function(*leaves)
        outputs = outputs if isinstance(outputs, (tuple, list)) else (outputs,)
        weights = torch.Generator().manual_seed(seed)
        loss = sum((output * torch.randn(output.shape, generator=weights, dtype=torch.float64).to(output.dtype)).sum() for output in outputs)
        wanted = [value for value in leaves if value is not None]
        gradients = torch.autograd.grad(loss, wanted, allow_unused=True)
        results.append([*outputs, *(gradient if gradient is not None else torch.zeros_like(value)
                                    for gradient, value in zip(gradients, wanted))])
    given = [f"gradient of {name}" for name, value in zip(names[1], inputs) if value is not None]
    return differs(*results, [*names[0], *given])


LIF_NAMES = (["spikes", "membrane", "trace"], ["current", "decay", "threshold", "membrane"])


def lif_cases():
    group = Group("lif: every combination of options")
    shape = (2, 7, 3, 5)
    sequence, constant = normal(*shape, offset=0.5), normal(2, 1, *shape[2:], offset=0.7)
    state = normal(2, 3, 5, offset=0.3)
    parameters = {
        "scalar": (torch.tensor(0.8, dtype=torch.float64), torch.tensor(0.6, dtype=torch.float64)),
        "per channel": (torch.tensor([0.9, 0.5, 0.0], dtype=torch.float64), torch.tensor([0.4, 0.7, 1.1], dtype=torch.float64)),
    }
    for decay_input, reset, delay, detach, (surrogate, parameter), size, start, steady in product(
        (True, False), ("subtract", "zero", "none"), (False, True), (False, True), SURROGATES.items(), parameters, (False, True), (False, True)
    ):
        options = dict(steps=7 if steady else 0, decay_input=decay_input, reset=reset, reset_delay=delay, detach_reset=detach,
                       surrogate=surrogate, surrogate_parameter=parameter)
        inputs = [constant if steady else sequence, *parameters[size], state if start else None]
        group.case(f"{options}, {size}, {'with' if start else 'without'} membrane", lambda: compare(
            lambda *x: ops.lif(*x, **options, trace=True), lambda *x: unrolled.lif(*x, **options), inputs, LIF_NAMES))


def lif_shapes():
    group = Group("lif: shapes, layouts and dtypes")
    decay, threshold = torch.tensor(0.8, dtype=torch.float64), torch.tensor(0.5, dtype=torch.float64)

    def check(current, dtype=torch.float64, relative=1e-12):
        inputs = [current, decay.to(dtype), threshold.to(dtype), None]
        return compare(lambda *x: ops.lif(*x, trace=True), unrolled.lif, inputs, LIF_NAMES)

    currents = {
        "[B, T, D]": normal(3, 5, 4), "[B, T, C, H, W]": normal(2, 3, 2, 4, 5), "one step": normal(2, 1, 3, 4), "empty batch": normal(0, 3, 4),
        "many neurons": normal(2, 4, 5000), "many steps": normal(1, 400, 33),
    }
    for name, current in currents.items():
        group.case(name, lambda: check(current))

    def not_contiguous(view):
        def run(operator):
            x = leaf(normal_base)
            spikes, membrane, trace = operator(view(x), decay, threshold)
            weights = normal_weights[: spikes.numel()].view(spikes.shape)
            (gradient,) = torch.autograd.grad((spikes * weights).sum() + membrane.sum(), x)
            return spikes, membrane, trace, gradient
        return differs(run(lambda *x: ops.lif(*x, trace=True)), run(unrolled.lif), ["spikes", "membrane", "trace", "gradient"])

    normal_base, normal_weights = normal(4, 6, 8), normal(4 * 6 * 8)
    views = {"transposed": lambda x: x.transpose(0, 1), "every other": lambda x: x[::2, :, 1::2], "expanded": lambda x: x[:1].expand(3, -1, -1),
             "flipped axes": lambda x: x.permute(2, 0, 1)}
    for name, view in views.items():
        group.case(name, lambda: not_contiguous(view))

    def halves():
        current = normal(2, 9, 3, 4, offset=0.3)
        whole = ops.lif(current, decay, threshold)
        first = ops.lif(current[:, :4], decay, threshold)
        second = ops.lif(current[:, 4:], decay, threshold, first[1])
        return differs([torch.cat([first[0], second[0]], 1), second[1]], whole[:2], ["spikes", "membrane"], 0)

    group.case("a sequence cut in two", halves)

    def single():
        current, weights = normal(2, 6, 5, offset=0.3).float(), normal(2, 6, 5).float()
        results = []
        for operator in (ops.lif, unrolled.lif):
            x = leaf(current)
            spikes, membrane = operator(x, decay.float(), threshold.float())[:2]
            (gradient,) = torch.autograd.grad((spikes * weights).sum(), x)
            results.append([spikes, membrane, gradient])
        return differs(*results, ["spikes", "membrane", "gradient"], 1e-6)

    group.case("float32", single)

    def bfloat16():
        current = normal(2, 6, 5, offset=0.3).bfloat16()
        spikes, membrane, _ = ops.lif(current, decay, threshold)
        wanted, state, _ = unrolled.lif(current.float(), decay.float(), threshold.float())
        if spikes.dtype != torch.bfloat16 or membrane.dtype != torch.float32:
            return f"{spikes.dtype} spikes, {membrane.dtype} membrane"
        return differs([spikes.float(), membrane], [wanted, state], ["spikes", "membrane"], 1e-6)

    group.case("bfloat16 in and out, float32 inside", bfloat16)


def surrogate_cases():
    group = Group("surrogate")
    x = torch.cat([normal(60), torch.tensor([0.0, -0.0, 1e-9, -1e-9, 1e3, -1e3], dtype=torch.float64)])
    for kind, parameter in SURROGATES.items():
        group.case(kind, lambda: compare(lambda x: ops.surrogate(x, kind, parameter), lambda x: unrolled.Spike.apply(x, kind, parameter),
                                         [x], (["spikes"], ["x"])))


def convolution_cases():
    group = Group("conv_block")
    weight, bias = normal(4, 3, 3, 2), normal(4)
    for name, x in {"[B, C, H, W]": normal(2, 3, 6, 7), "[B, T, C, H, W]": normal(2, 4, 3, 6, 7), "empty batch": normal(0, 2, 3, 6, 7),
                    "not contiguous": normal(4, 2, 3, 7, 6).transpose(0, 1).transpose(3, 4)}.items():
        for stride, padding, with_bias in product(([1, 1], [2, 1]), ([1, 1], [0, 2]), (True, False)):
            def theirs(x, weight, bias=None):
                output = conv2d(x.flatten(0, -4), weight, bias, stride, padding)
                return output.view(*x.shape[:-3], *output.shape[1:])
            inputs = [x, weight, bias] if with_bias else [x, weight]
            group.case(f"{name}, stride {stride}, padding {padding}, {'bias' if with_bias else 'no bias'}", lambda: compare(
                lambda x, weight, bias=None: ops.conv_block(x, weight, bias, stride, padding), theirs, inputs,
                (["output"], ["input", "weight", "bias"])))


def norm_cases():
    group = Group("spike_norm")
    gamma, beta = normal(3, offset=1), normal(3)
    inputs = {"[B, C, H, W]": normal(3, 3, 4, 5), "[B, T, C, H, W]": normal(3, 4, 3, 4, 5), "one step": normal(2, 1, 3, 4, 4),
              "one sample": normal(1, 4, 3, 2, 2), "not contiguous": normal(4, 3, 5, 4, 3).permute(1, 0, 4, 3, 2)}
    for (name, x), training, per_step, momentum in product(inputs.items(), (True, False), (False, True), (0.1, 0.6)):
        shape = (x.size(1) if x.dim() == 5 else 1, 3) if per_step else (3,)
        mean, variance = normal(*shape), normal(*shape).square() + 0.5

        def check():
            statistics = []

            def run(function):
                def forward(x, gamma, beta):
                    m, v = mean.clone(), variance.clone()
                    output = function(x, gamma, beta, m, v, training, momentum, 1e-5)
                    statistics.append([m, v])
                    return output
                return forward

            problem = compare(run(ops.spike_norm), run(unrolled.spike_norm), [x, gamma, beta], (["output"], ["input", "gamma", "beta"]))
            return problem or differs(*statistics, ["running mean", "running variance"])

        group.case(f"{name}, {'training' if training else 'evaluation'}, {'perStep' if per_step else 'shared'}, momentum {momentum}", check)


def connect_cases():
    group = Group("sew_connect")
    for connect, theirs in {"add": lambda o, i: o + i, "and": lambda o, i: o * i, "iand": lambda o, i: i * (1 - o),
                            "mean": lambda o, i: (o + i) / 2}.items():
        group.case(connect, lambda: compare(lambda o, i: ops.sew_connect(o, i, connect), theirs, [normal(2, 3, 4), normal(2, 3, 4)],
                                            (["output"], ["main", "shortcut"])))


def smooth_cases():
    group = Group("gradcheck where the function is smooth")
    decay, threshold = leaf(torch.tensor([0.8, 0.6], dtype=torch.float64)), torch.tensor(1.0, dtype=torch.float64)
    current, constant, state = leaf(normal(2, 4, 2, 3)), leaf(normal(2, 1, 2, 3)), leaf(normal(2, 2, 3))
    for decay_input in (True, False):
        def integrate(*x):
            return ops.leaky_integrate(*x, decay_input=decay_input)
        group.case(f"leaky_integrate, decay_input {decay_input}", lambda: None if gradcheck(integrate, (current, decay, state)) else "wrong")
        group.case(f"leaky_integrate of a constant, decay_input {decay_input}", lambda: None if gradcheck(
            lambda *x: ops.leaky_integrate(*x, steps=5, decay_input=decay_input), (constant, decay, state)) else "wrong")
        group.case(f"lif without reset, decay_input {decay_input}", lambda: None if gradcheck(
            lambda i, b, u: ops.lif(i, b, threshold, u, decay_input=decay_input, reset="none", trace=True)[1:], (current, decay, state)) else "wrong")
    group.case("conv_block", lambda: None if gradcheck(
        lambda *x: ops.conv_block(*x, [2, 1], [1, 0]), (leaf(normal(2, 2, 2, 4, 4)), leaf(normal(3, 2, 3, 3)), leaf(normal(3)))) else "wrong")
    for training in (True, False):
        def norm(*x):
            return ops.spike_norm(*x, torch.zeros(2, dtype=torch.float64), torch.ones(2, dtype=torch.float64), training, 0.1, 1e-5)
        group.case(f"spike_norm, training {training}", lambda: None if gradcheck(
            norm, (leaf(normal(2, 2, 2, 3, 2)), leaf(normal(2)), leaf(normal(2)))) else "wrong")
    for connect in ("add", "and", "iand", "mean"):
        group.case(f"sew_connect {connect}", lambda: None if gradcheck(
            lambda o, i: ops.sew_connect(o, i, connect), (leaf(normal(2, 3)), leaf(normal(2, 3)))) else "wrong")


def error_cases():
    group = Group("wrong arguments are ValueErrors of one sentence")
    x, decay, threshold = normal(2, 3, 4), torch.tensor(0.9), torch.tensor(1.0)
    calls = {
        "decay": lambda: ops.lif(x, torch.tensor(1.5), threshold), "threshold": lambda: ops.lif(x, decay, torch.tensor(0.0)),
        "channels": lambda: ops.lif(x, torch.tensor([0.9, 0.8]), threshold), "reset": lambda: ops.lif(x, decay, threshold, reset="hard"),
        "membrane": lambda: ops.lif(x, decay, threshold, x), "surrogate": lambda: ops.surrogate(x, "step", 1.0),
        "connect": lambda: ops.sew_connect(x, x, "or"),
    }
    for name, call in calls.items():
        def check():
            try:
                call()
            except ValueError as error:
                return None if str(error).startswith("ERR_") and "\n" not in str(error) else f"message {str(error)!r}"
            return "no error"
        group.case(name, check)


for cases in (lif_cases, lif_shapes, surrogate_cases, convolution_cases, norm_cases, connect_cases, smooth_cases, error_cases):
    cases()
print(json.dumps(report))
