"""Writes a file for our reader: python write_safetensors.py path"""

import sys

import numpy as np
from safetensors.numpy import save_file

save_file(
    {
        "float64": np.array([[1.5, -0.0, np.inf], [np.nan, 5e-324, 1e300]]),
        "float32": np.arange(6, dtype=np.float32).reshape(1, 2, 3) / 3,
        "float16": np.array([1.5, -2, 65504, 6e-8], dtype=np.float16),
        "int64": np.array([2**62, -(2**63), -1]),
        "int32": np.array([2**31 - 1, -(2**31)], dtype=np.int32),
        "uint8": np.array([[0, 255]], dtype=np.uint8),
        "bool": np.array([True, False, True]),
        "scalar": np.array(7.25, dtype=np.float32),
        "empty": np.zeros((0, 3), dtype=np.float32),
        "Ünïcode 名": np.ones(1, dtype=np.int8),
    },
    sys.argv[1],
    {"author": "Python", "text": 'quotes " and \\ and 名'},
)
