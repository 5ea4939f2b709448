"""spikingrx::sew_connect and the sewBlock layer against SpikingJelly's SEW ResNet.

    sew_function(identity, out)    ADD out + identity, AND out * identity, IAND identity * (1 - out)
    BasicBlock                     conv3x3 -> norm -> LIF, conv3x3 -> norm -> LIF, shortcut; two stages, no convolution bias

BasicBlock's norm layer is torch's BatchNorm2d called once a step; its neuron SpikingJelly's LIFNode over all steps. The
shortcut is the identity, or where channels or stride differ conv1x1 -> norm -> LIF. One training pass (output, running
statistics, gradients of sum(weights * output) wrt input and parameters), then one pass in evaluation. Parameters carry our names.
"""

import sys
from functools import partial
from types import ModuleType

import torch
from torch import nn

# sew_resnet asks torchvision only where to download weights from; torchvision's wheel does not fit every torch build.
for name in ("torchvision", "torchvision.models", "torchvision.models.utils"):
    sys.modules[name] = ModuleType(name)
sys.modules["torchvision.models.utils"].load_state_dict_from_url = None

from spikingjelly.activation_based import layer, neuron, surrogate  # noqa: E402
from spikingjelly.activation_based.model.sew_resnet import BasicBlock, sew_function  # noqa: E402

from vectors import DTYPES, Family, check_margin, leaf, random, swap_time  # noqa: E402

T, B, H, W = 4, 2, 6, 5
DECAY, THRESHOLD, WIDTH, MOMENTUM = 0.5, 0.3, 1.0, 0.4
OUR_NAMES = {
    "conv1": "stages.0.conv", "bn1": "stages.0.norm", "conv2": "stages.1.conv", "bn2": "stages.1.norm",
    "downsample.0": "shortcut.conv", "downsample.1": "shortcut.norm",
}
OUR_NORM = {"weight": "gamma", "bias": "beta", "running_mean": "runningMean", "running_var": "runningVariance"}


class StepwiseBatchNorm(nn.BatchNorm2d):
    """[T, B, C, H, W], one call of torch's BatchNorm2d a step."""

    def forward(self, x):
        return torch.stack([super(StepwiseBatchNorm, self).forward(step) for step in x])


def our_name(name):
    module, _, tensor = name.rpartition(".")
    if "conv" in OUR_NAMES[module]:
        return f"{OUR_NAMES[module]}.{tensor}"
    return f"{OUR_NAMES[module]}.{OUR_NORM[tensor]}"


def state(block):
    return {our_name(name): value for name, value in block.state_dict().items() if "num_batches" not in name}


def make_block(channels_in, channels, stride, connect, detach):
    downsample = None
    if stride != 1 or channels_in != channels:
        downsample = nn.Sequential(layer.Conv2d(channels_in, channels, 1, stride, bias=False, step_mode="m"), StepwiseBatchNorm(channels, momentum=MOMENTUM))
    block = BasicBlock(
        channels_in, channels, stride, downsample, norm_layer=partial(StepwiseBatchNorm, momentum=MOMENTUM), cnf=connect, spiking_neuron=neuron.LIFNode,
        tau=1 / (1 - DECAY), decay_input=True, v_threshold=THRESHOLD, v_reset=None,
        surrogate_function=surrogate.PiecewiseQuadratic(1 / WIDTH), detach_reset=detach, step_mode="m")
    for module in block.modules():
        if isinstance(module, layer.Conv2d):
            module.step_mode = "m"
    return block.double()


def watch_margins(block):
    """Checks every neuron's distance to the threshold as it runs."""
    def check(node, inputs, spikes):
        membrane = torch.zeros_like(inputs[0][0])
        before = []
        for x, spike in zip(inputs[0], spikes):
            before.append(DECAY * membrane + (1 - DECAY) * x)
            membrane = before[-1] - THRESHOLD * spike
        check_margin(torch.stack(before), THRESHOLD, spikes, smallest=1e-6)

    for module in block.modules():
        if isinstance(module, neuron.LIFNode):
            module.register_forward_hook(check)


def main():
    normal = random(18)
    family = Family("sew", "SpikingJelly sew_function and BasicBlock, torch Conv2d and BatchNorm2d", ["spikingjelly", "torch"])

    main_spikes, shortcut = (normal(2, 3, 8) > 0.3).double(), (normal(2, 3, 8) > 0).double()
    weights = normal(2, 3, 8)
    for connect in ("ADD", "AND", "IAND"):
        for dtype, kind in DTYPES.items():
            out, identity = leaf(main_spikes, kind), leaf(shortcut, kind)
            result = sew_function(identity, out, connect)
            (result * weights.to(kind)).sum().backward()
            family.add(f"function {connect.lower()}, {dtype}", {"connect": connect.lower(), "dtype": dtype}, main=out, shortcut=identity,
                       weights=weights.to(kind), output=result, mainGradient=out.grad, shortcutGradient=identity.grad)

    for channels_in, channels, stride, connect, detach in (
        (3, 3, 1, "ADD", False), (3, 3, 1, "AND", False), (3, 3, 1, "IAND", True),
        (2, 4, 2, "ADD", False), (2, 4, 2, "AND", True), (2, 4, 2, "IAND", False),
    ):
        block = make_block(channels_in, channels, stride, connect, detach)
        watch_margins(block)
        with torch.no_grad():
            for name, value in block.named_parameters():
                value.copy_(normal(*value.shape) * (0.4 if value.dim() > 1 else 0.2) + (1.3 if value.dim() == 1 and name.endswith("weight") else 0))
        initial = {f"initial.{name}": value.clone() for name, value in state(block).items()}
        x = leaf(swap_time((normal(B, T, channels_in, H, W) > 0.2).double()), torch.float64)
        output = block(x)
        weights = normal(*output.shape)
        (output * weights).sum().backward()
        after = {f"after.{name}": value for name, value in state(block).items() if "running" in name}
        gradients = {f"gradient.{our_name(name)}": value.grad for name, value in block.named_parameters()}
        block.eval()
        for module in block.modules():
            if isinstance(module, neuron.LIFNode):
                module.reset()
        evaluated = block(x)
        family.add(
            f"block {connect.lower()}, {'identity' if stride == 1 else 'convolution'} shortcut",
            {"channelsIn": channels_in, "channels": channels, "stride": [stride, stride], "stages": 2, "connect": connect.lower(),
             "decay": DECAY, "threshold": THRESHOLD, "decayInput": True, "reset": "subtract", "detachReset": detach,
             "surrogate": "triangular", "surrogateParameter": WIDTH, "epsilon": 1e-5, "momentum": MOMENTUM, "statistics": "shared",
             "steps": T, "size": [H, W], "dtype": "float64"},
            input=swap_time(x).byte(), weights=swap_time(weights), output=swap_time(output).byte(), inputGradient=swap_time(x.grad),
            evaluated=swap_time(evaluated).byte(), **initial, **after, **gradients)
    family.save()


if __name__ == "__main__":
    main()
