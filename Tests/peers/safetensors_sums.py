"""Prints what Python's safetensors finds in a file: for each tensor, by name, its type, shape and the
sum of its elements times their position (from 1, in double); then the metadata.

    python Tests/peers/safetensors_sums.py FILE
"""

import sys

from safetensors import safe_open

with safe_open(sys.argv[1], framework="np") as file:
    for name in sorted(file.keys()):
        part = file.get_slice(name)
        total = 0.0
        for position, value in enumerate(file.get_tensor(name).ravel().tolist(), 1):
            total += float(value) * position
        print(name, f"{part.get_dtype()} {part.get_shape()}", repr(total), sep="\t")
    print(file.metadata())
