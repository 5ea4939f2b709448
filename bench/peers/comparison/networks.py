"""The networks of the comparison around a library's neuron: SEW block, MNIST perceptron, the trained networks.

A library gives `fire(decay, threshold, decay_input)`: a function from currents [T, B, ...] to spikes. `by_step` says that it is
used as its tutorials do, all layers in a loop over the steps; else convolutions and linear layers see all steps at once.
"""

import torch
from torch import nn

from peer import LazyBytes, Work
from torch_peer import leaf

EPSILON = 1e-5


def tensors(inputs):
    return {name: torch.from_numpy(values) for name, values in inputs.items()}


# SEW block: y = x + stage(stage(x)), stage = 3x3 convolution, batch norm, LIF (decay 0.5, threshold 0.5).


def sew_case(make_fire, inputs, by_step):
    given = tensors(inputs)
    x = given["current"].requires_grad_()
    channels = x.shape[2]
    convolutions = [nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2)]
    norms = [nn.BatchNorm2d(channels, eps=EPSILON) for _ in range(2)]
    for k, convolution in enumerate(convolutions):
        convolution.weight.data, convolution.bias.data = given[f"weight{k}"], given[f"bias{k}"]
    parameters = [x, *(p for module in (*convolutions, *norms) for p in module.parameters())]

    def stage(k, current):
        if by_step:
            current = torch.stack([norms[k](convolutions[k](step)) for step in current.unbind(0)])
        else:
            current = norms[k](convolutions[k](current.flatten(0, 1))).unflatten(0, current.shape[:2])
        return make_fire(0.5, 0.5, True)(current)

    def run():
        for one in parameters:
            one.grad = None
        output = stage(1, stage(0, x)) + x
        output.backward(given["weights"])
        return {"spikes": LazyBytes(output.detach()), "gradient": x.grad}

    def check():
        """With the running statistics, which do not depend on how the library groups time steps."""
        for norm in norms:
            norm.reset_running_stats()
            norm.eval()
        try:
            return run()
        finally:
            for norm in norms:
                norm.train()

    return Work(run, check=check)


def convolutions_case(inputs):
    """The two convolutions of the block alone, forward and backward."""
    given = tensors(inputs)
    x = given["current"].requires_grad_()
    parameters = [x, *(leaf(inputs[f"{name}{k}"]) for k in range(2) for name in ("weight", "bias"))]

    def run():
        for one in parameters:
            one.grad = None
        folded = x.flatten(0, 1)
        for k in range(2):
            folded = nn.functional.conv2d(folded, parameters[1 + 2 * k], parameters[2 + 2 * k], padding=1)
        output = folded.unflatten(0, x.shape[:2])
        output.backward(given["weights"])
        return {"output": output.detach(), "gradient": x.grad}

    return Work(run)


# MNIST perceptron: 784 -> 1000 LIF -> 10 -> leaky integrator, decay 0.95, no input decay; class scores are its mean over time.

STEPS, DECAY, LEARNING_RATE, CLASSES = 25, 0.95, 1e-3, 10


def integrate(current):
    membrane = torch.zeros_like(current[0])
    total = torch.zeros_like(current[0])
    for step in current.unbind(0):
        membrane = DECAY * membrane + step
        total = total + membrane
    return total / len(current)


class Perceptron(nn.Module):
    """hoisted: the first layer, whose input is the same at every step, is computed once."""

    def __init__(self, fire, given, hoisted):
        super().__init__()
        self.hidden = nn.Linear(784, 1000)
        self.readout = nn.Linear(1000, CLASSES)
        self.fire = fire
        self.hoisted = hoisted
        for layer, name in ((self.hidden, "hidden"), (self.readout, "readout")):
            layer.weight.data = given[f"{name}Weight"].clone()
            layer.bias.data = given[f"{name}Bias"].clone()

    def forward(self, pixels):
        if self.hoisted:
            current = self.hidden(pixels).unsqueeze(0).expand(STEPS, -1, -1)
        else:
            current = self.hidden(pixels.unsqueeze(0).repeat(STEPS, 1, 1))
        return integrate(self.readout(self.fire(DECAY, 1.0, False)(current)))


def pixels_of(images):
    return images.flatten(1).to(torch.float32).div_(255)


def train_case(fire, case, inputs, hoisted):
    """One pass over the images in the order given; loss over the pass, accuracy on the test images."""
    given = tensors(inputs)
    images, labels = given["images"], given["labels"].long()
    batch, trained = case["batch"], None

    def train(steps):
        nonlocal trained
        trained = Perceptron(fire, given, hoisted)
        optimizer = torch.optim.Adam(trained.parameters(), lr=LEARNING_RATE)
        losses = []
        for start in range(0, min(len(images), batch * steps), batch):
            optimizer.zero_grad()
            scores = trained(pixels_of(images[start : start + batch]))
            loss = nn.functional.cross_entropy(scores, labels[start : start + batch])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return {"losses": torch.tensor(losses)}

    losses = []

    def run():
        losses[:] = train(case["iterations"])["losses"].tolist()

    @torch.inference_mode()
    def evaluate():
        tests = given["testImages"].split(500)
        classes = torch.cat([trained(pixels_of(one)).argmax(1) for one in tests])
        accuracy = (classes == given["testLabels"].long()).float().mean().item()
        return {"loss": sum(losses) / len(losses), "accuracy": accuracy}

    # The run that is compared and warms up is short; its memory says nothing.
    short = Work(run, check=lambda: train(case["compared"]), evaluate=evaluate)
    return short


# Trained networks: scores of images [N, ...], asked for in batches.


def predict_case(fire, case, inputs):
    given = tensors(inputs)
    network = {"perceptron": trained_perceptron, "digits": Digits}[case["network"]](fire, given).eval()
    batches = given["images"].split(case["batch"])

    @torch.inference_mode()
    def scores(batch):
        return network(batch)

    place = -1

    def run():
        nonlocal place
        place = (place + 1) % len(batches)
        scores(batches[place])

    return Work(run, check=lambda: {"scores": torch.cat([scores(batch) for batch in batches])})


def trained_perceptron(fire, given):
    perceptron = Perceptron(fire, given, hoisted=True)
    return nn.Sequential(Pixels(), nn.Flatten(), perceptron)


class Pixels(nn.Module):
    def forward(self, images):
        return images.to(torch.float32).div(255)


class Digits(nn.Module):
    """The demo network: convolution, norm, LIF, SEW block with a 1x1 shortcut, linear; T = 8, decay and threshold 0.5."""

    STEPS = 8

    def __init__(self, fire, given):
        super().__init__()
        self.given = given
        self.fire = lambda current: fire(0.5, 0.5, True)(current)

    def stage(self, name, norm, x, stride, padding):
        given = self.given
        x = nn.functional.conv2d(x, given[f"{name}.weight"], given[f"{name}.bias"], stride, padding)
        statistics = [given[f"{norm}.{which}"] for which in ("runningMean", "runningVariance", "gamma", "beta")]
        return nn.functional.batch_norm(x, *statistics, eps=EPSILON)

    def block_stage(self, name, x, stride, padding):
        current = self.stage(f"{name}.conv", f"{name}.norm", x.flatten(0, 1), stride, padding)
        return self.fire(current.unflatten(0, x.shape[:2]))

    def forward(self, images):
        pixels = images.to(torch.float32).div(255)
        current = self.stage("layers.0", "layers.1", pixels, 2, 1)
        spikes = self.fire(current.unsqueeze(0).expand(self.STEPS, -1, -1, -1, -1))
        main = self.block_stage("layers.3.stages.0", spikes, 2, 1)
        main = self.block_stage("layers.3.stages.1", main, 1, 1)
        block = main + self.block_stage("layers.3.shortcut", spikes, 2, 0)
        scores = nn.functional.linear(block.flatten(2), self.given["layers.5.weight"], self.given["layers.5.bias"])
        return scores.mean(0)
