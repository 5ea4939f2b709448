"""Prints what Python's safetensors reads from a file, as JSON: python read_safetensors.py path"""

import json
import sys

from safetensors import safe_open

with safe_open(sys.argv[1], "numpy") as file:
    tensors = {name: file.get_tensor(name) for name in file.keys()}
    described = {
        name: {"dtype": str(value.dtype), "shape": list(value.shape), "values": [str(item) for item in value.reshape(-1).tolist()]}
        for name, value in tensors.items()
    }
    print(json.dumps({"metadata": file.metadata(), "tensors": described}))
