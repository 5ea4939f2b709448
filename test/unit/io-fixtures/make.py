"""Makes the files beside this script with implementations that are not ours.

    pip install numpy==2.4.6 safetensors==0.8.0 pypng==0.20220715.0 && python make.py
"""

import os

import numpy as np
import png
from safetensors.numpy import save, save_file

os.chdir(os.path.dirname(os.path.abspath(__file__)))

# safetensors: every element type that both sides know, a scalar, an empty tensor, names that need care.
grid = np.arange(6, dtype=np.float32).reshape(2, 3) / 4
save_file(
    {
        "layers.0.weight": grid,
        "double": grid.astype(np.float64),
        "half": grid.astype(np.float16),
        "long": np.array([-(2**62), 2**62], dtype=np.int64),
        "int": np.array([-7, 7], dtype=np.int32),
        "short": np.array([-300], dtype=np.int16),
        "byte": np.array([-3], dtype=np.int8),
        "pixel": np.array([0, 255], dtype=np.uint8),
        "mask": np.array([True, False, True]),
        "scalar": np.array(3.5, dtype=np.float32),
        "empty": np.zeros((0, 4), dtype=np.float32),
        "__proto__": np.array([1.0], dtype=np.float32),
        "größe": np.array([2.0], dtype=np.float32),
    },
    "python.safetensors",
    metadata={"format": "pt", "note": 'quotes " and ünïcode'},
)
with open("python-unsupported.safetensors", "wb") as file:
    file.write(save({"counts": np.array([1], dtype=np.uint32)}))


# npy: versions 1 to 3, C and Fortran order.
def write(name, array, version=None):
    with open(f"{name}.npy", "wb") as file:
        np.lib.format.write_array(file, array, version=version)


cube = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
write("f4", cube)
write("f4-fortran", np.asfortranarray(cube), (2, 0))
write("f8-v3", cube.astype(np.float64), (3, 0))
write("i8", np.array([-(2**62), 5], dtype=np.int64))
write("i4", np.array([[-1], [2]], dtype=np.int32))
write("u1", np.array([0, 128, 255], dtype=np.uint8))
write("b1", np.array([True, False]))
write("c8", np.array([1 + 2j, 3 - 4j], dtype=np.complex64))
write("c16-fortran", np.asfortranarray(np.array([[1 + 2j, 3 - 4j], [5j, 6]], dtype=np.complex128)))
write("scalar", np.array(2.5, dtype=np.float32))
write("empty", np.zeros((0, 3), dtype=np.float64))
write("big-endian", np.array([1, 2], dtype=">f4"))
with open("object.npy", "wb") as file:
    np.lib.format.write_array(file, np.array([{}], dtype=object), allow_pickle=True)


# PNG: 5 x 3 images of every colour type; sample (x, y, c) = (3 x + 5 y + 7 c) mod 2^depth, spread over the range.
def rows(channels, depth, scale=1):
    return [[(3 * x + 5 * y + 7 * c) * scale % 2**depth for x in range(5) for c in range(channels)] for y in range(3)]


def picture(name, values, **options):
    with open(f"{name}.png", "wb") as file:
        png.Writer(5, 3, **options).write(file, values)


picture("grey1", rows(1, 1), greyscale=True, bitdepth=1)
picture("grey2", rows(1, 2), greyscale=True, bitdepth=2)
picture("grey4", rows(1, 4), greyscale=True, bitdepth=4)
picture("grey8", rows(1, 8, 10), greyscale=True, bitdepth=8)
picture("grey8-interlaced", rows(1, 8, 10), greyscale=True, bitdepth=8, interlace=True)
picture("grey1-interlaced", rows(1, 1), greyscale=True, bitdepth=1, interlace=True)
picture("grey8-transparent", rows(1, 8, 10), greyscale=True, bitdepth=8, transparent=30)
picture("grey16", rows(1, 16, 2570), greyscale=True, bitdepth=16)
picture("grey-alpha", rows(2, 8, 10), greyscale=True, alpha=True, bitdepth=8)
picture("rgb", rows(3, 8, 10), greyscale=False, bitdepth=8)
picture("rgba", rows(4, 8, 10), greyscale=False, alpha=True, bitdepth=8)
palette = [(10, 20, 30, 255), (200, 100, 50, 128), (255, 255, 255, 255), (0, 0, 255, 0)]
picture("palette2", rows(1, 2), palette=palette, bitdepth=2)
