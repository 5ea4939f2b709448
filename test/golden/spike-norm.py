"""spikingrx::spike_norm against torch's BatchNorm2d called once a step, in order of time.

    training    outputs, running statistics after T calls, gradients of sum(weights * output) wrt input, gamma, beta
    evaluation  the same module afterwards

'shared' is one BatchNorm2d called T times, 'perStep' is T modules with one gamma and beta between them.
"""

import torch
from torch import nn

from vectors import DTYPES, Family, leaf, random

B, T, C, H, W = 3, 4, 3, 4, 5


def main():
    normal = random(5)
    x = 1.5 * normal(B, T, C, H, W) + torch.arange(T).view(1, T, 1, 1, 1) * 0.3
    weights = normal(B, T, C, H, W)
    gamma, beta = 1 + 0.2 * normal(C), 0.3 * normal(C)
    family = Family("spike-norm", "torch BatchNorm2d, step by step", ["torch"])
    family.share(input=x, weights=weights, gamma=gamma, beta=beta)

    for statistics in ("shared", "perStep"):
        for dtype, kind in DTYPES.items():
            for momentum, epsilon in ((0.1, 1e-5), (0.4, 1e-3)):
                if dtype == "float32" and momentum != 0.1:
                    continue
                norms = [nn.BatchNorm2d(C, epsilon, momentum, dtype=kind) for _ in range(1 if statistics == "shared" else T)]
                for norm in norms:
                    norm.weight, norm.bias = norms[0].weight, norms[0].bias
                with torch.no_grad():
                    norms[0].weight.copy_(gamma)
                    norms[0].bias.copy_(beta)

                def forward(value):
                    return torch.stack([norms[t % len(norms)](value[:, t]) for t in range(T)], 1)

                value = leaf(x, kind)
                output = forward(value)
                (output * weights.to(kind)).sum().backward()
                mean, variance = ([getattr(norm, name).clone() for norm in norms] for name in ("running_mean", "running_var"))
                for norm in norms:
                    norm.eval()
                resting = leaf(x, kind)
                evaluated = forward(resting)
                gradients = torch.autograd.grad((evaluated * weights.to(kind)).sum(), [resting, norms[0].weight, norms[0].bias])
                join = (lambda values: values[0]) if statistics == "shared" else torch.stack
                tensors = dict(output=output, runningMean=join(mean), runningVariance=join(variance), gradient=value.grad,
                               gammaGradient=norms[0].weight.grad, betaGradient=norms[0].bias.grad)
                if momentum == 0.1:
                    tensors |= dict(evaluated=evaluated, evaluatedGradient=gradients[0],
                                    evaluatedGammaGradient=gradients[1], evaluatedBetaGradient=gradients[2])
                family.add(f"{statistics}, momentum {momentum}, {dtype}",
                           {"statistics": statistics, "momentum": momentum, "epsilon": epsilon, "dtype": dtype}, **tensors)
    family.save()


if __name__ == "__main__":
    main()
