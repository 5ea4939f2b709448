"""Losses on the output [B, T, K] of a network, with their gradients, against torch.nn.functional and snnTorch.

    crossEntropy  cross_entropy of the mean or the sum over time, with label smoothing; snnTorch's ce_count_loss is the sum
    spikeCount    MSE between spike counts and target counts; snnTorch's mse_count_loss is this divided by T, its target rates times T
                  are our target counts
    rateMse       mse_loss between the mean over time and target rates of the right and the wrong classes
    mse           mse_loss between the mean over time and floating point targets [B, K]
    binaryCrossEntropy  binary_cross_entropy_with_logits of the mean over time on the elements whose target is not -1
"""

import torch
from snntorch import functional
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, mse_loss, one_hot

from vectors import Family, leaf, random

B, T, K = 4, 8, 5


def main():
    normal = random(2)
    analog, spikes = normal(B, T, K), (normal(B, T, K) > 0.2).double()
    classes, targets = torch.tensor([0, 3, 4, 3]), normal(B, K)
    family = Family("losses", "torch.nn.functional, snntorch.functional", ["snntorch", "torch"])
    family.share(classes=classes, targets=targets)

    def add(name, options, output, loss_of):
        output = leaf(output, torch.float64)
        loss = loss_of(output)
        loss.backward()
        family.add(name, options, output=output, loss=loss, gradient=output.grad)

    for reduce, over_time in (("mean", lambda o: o.mean(1)), ("sum", lambda o: o.sum(1))):
        for smoothing in (0.0, 0.1):
            add(f"cross entropy of the {reduce}, label smoothing {smoothing}",
                {"kind": "crossEntropy", "reduce": reduce, "labelSmoothing": smoothing}, analog,
                lambda o: cross_entropy(over_time(o), classes, label_smoothing=smoothing))
    add("snnTorch ce_count_loss", {"kind": "crossEntropy", "reduce": "sum", "labelSmoothing": 0.0}, spikes,
        lambda o: functional.ce_count_loss()(o.transpose(0, 1), classes))
    add("snnTorch mse_count_loss times T", {"kind": "spikeCount", "correct": 6.0, "incorrect": 2.0}, spikes,
        lambda o: T * functional.mse_count_loss(correct_rate=6 / T, incorrect_rate=2 / T)(o.transpose(0, 1), classes))
    for correct, incorrect in ((1.0, 0.0), (0.8, 0.05)):
        add(f"mse of rates, {correct} and {incorrect}", {"kind": "rateMse", "correct": correct, "incorrect": incorrect}, spikes,
            lambda o: mse_loss(o.mean(1), incorrect + (correct - incorrect) * one_hot(classes, K).double()))
    add("mse of the mean", {"kind": "mse"}, analog, lambda o: mse_loss(o.mean(1), targets))
    bits = torch.tensor([[0, 1, -1, 1, 0], [1, -1, -1, 0, 1], [-1, -1, -1, -1, -1], [0.25, 1, 0, 1, 1]]).double()
    family.share(bits=bits)
    for scale in (1, 40):  # large logits: log(1 + e^x) without overflow
        add(f"binary cross-entropy of {scale} times the output", {"kind": "binaryCrossEntropy"}, scale * analog,
            lambda o: binary_cross_entropy_with_logits(o.mean(1)[bits >= 0], bits[bits >= 0]))
    family.save()


if __name__ == "__main__":
    main()
