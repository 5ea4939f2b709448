"""A family of golden vectors: named cases, each with options and tensors, in one safetensors file.

    metadata  golden: JSON {family, versions, cases}; one key, since several would come in another order each time
                family    what made the values, in words
                versions  {package: version}
                cases     {case: options}; the options are those of our operator or layer
    tensors   "case/tensor", or "shared/tensor" for what several cases use

Time comes first in torch's spiking libraries and second in ours: everything is stored as [B, T, ...].
"""

import json
from importlib.metadata import version
from pathlib import Path

import torch
from safetensors.torch import save_file

FOLDER = Path(__file__).parent
DTYPES = {"float32": torch.float32, "float64": torch.float64}


def swap_time(tensor):
    """[T, B, ...] <-> [B, T, ...]"""
    return tensor.transpose(0, 1).contiguous()


def random(seed):
    """Standard normal numbers, drawn in float64 so that both precisions see the same values up to rounding."""
    generator = torch.Generator().manual_seed(seed)
    return lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)


def leaf(tensor, kind):
    """A copy that collects a gradient."""
    return tensor.detach().to(kind, copy=True).requires_grad_()


def check_margin(membrane, threshold, spikes, smallest=2e-5):
    """Refuses cases that rounding could decide: a membrane closer to the threshold than float32 resolves, no or only spikes."""
    margin = (membrane - threshold).abs().min().item()
    rate = spikes.double().mean().item()
    if margin < smallest or not 0.02 < rate < 0.9:
        raise ValueError(f"choose another seed: distance to the threshold {margin:.2g}, rate {rate:.2g}")


class Family:
    def __init__(self, name, made_by, packages):
        self.name = name
        self.made_by = made_by
        self.versions = {package: version(package) for package in packages}
        self.cases = {}
        self.tensors = {}

    def share(self, **tensors):
        self._put("shared", tensors)

    def add(self, case, options, **tensors):
        if case in self.cases:
            raise ValueError(f"case {case} exists")
        self.cases[case] = options
        self._put(case, tensors)

    def _put(self, prefix, tensors):
        for name, tensor in tensors.items():
            self.tensors[f"{prefix}/{name}"] = tensor.detach().contiguous().clone()

    def save(self):
        path = FOLDER / f"{self.name}.safetensors"
        golden = {"family": self.made_by, "versions": self.versions, "cases": self.cases}
        save_file(self.tensors, path, {"golden": json.dumps(golden)})
        print(f"{path.name}: {len(self.cases)} cases, {path.stat().st_size / 1000:.0f} kB")
