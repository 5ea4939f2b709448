"""Reads a model that `model.save` wrote, in Python: no Node, no torch, no code out of the file.

Run: pip install safetensors numpy && python examples/read_checkpoint.py digits.safetensors
"""

import json
import sys

from safetensors import safe_open

path = sys.argv[1] if len(sys.argv) > 1 else "digits.safetensors"
with safe_open(path, framework="numpy") as file:
    metadata = file.metadata()
    tensors = {name: file.get_tensor(name) for name in file.keys()}

spec = json.loads(metadata["spikingrx.spec"])
print(f"written by spikingrx {metadata['spikingrx.version']}: input {spec['input']}, {spec['steps']} time steps")
for index, layer in enumerate(spec["layers"]):
    options = {name: value for name, value in layer.items() if name != "kind"}
    print(f"\n{index} {layer['kind']} {json.dumps(options)}")
    for name in sorted(name for name in tensors if name.startswith(f"layers.{index}.")):
        values = tensors[name]
        scale = tensors.get(f"{name}.scale")
        if scale is not None:  # 8-bit weights: weight[o, ...] = scale[o] * code[o, ...]
            values = values * scale.reshape(-1, *[1] * (values.ndim - 1))
        print(f"  {name:40} {str(values.shape):18} mean {values.mean():+.4f}  std {values.std():.4f}")
