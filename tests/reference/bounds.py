"""HDF5 files that claim more than a machine has, for tests/cli/bounds.rs: `bounds.py FOLDER`."""

import os
import sys

import h5py
import numpy as np

os.chdir(sys.argv[1])

with h5py.File("nested.h5", "w") as f:
    group = f
    for _ in range(3000):
        group = group.create_group("g")
    group["v"] = np.zeros((4, 4))

with h5py.File("wide.h5", "w") as f:
    for i in range(5000):
        f.create_group(f"g{i}")

with h5py.File("huge.h5", "w") as f:
    f.create_dataset("sides", shape=(2**31, 2**31), dtype="f4", chunks=(512, 512))
    f.create_dataset("line", shape=(2**40,), dtype="f8", chunks=(1024,))
    f.create_dataset("texts", shape=(2**40,), dtype=h5py.string_dtype(), chunks=(1024,))
    f.create_dataset("image", shape=(2**24, 2**24), dtype="f4", chunks=(512, 512))
    f.create_dataset("cube", shape=(2**31, 4, 4), dtype="f4", chunks=(1, 4, 4))
    f.create_dataset("many", shape=(2**20,) * 6, dtype="f4", chunks=(8,) * 6)

# Images of one chunk: a pixel of the first is its fill value, of the second needs all of it.
with h5py.File("chunk.h5", "w") as f:
    f.create_dataset("v", shape=(30000, 30000), dtype="f4", chunks=(30000, 30000), compression="gzip")
with h5py.File("filled.h5", "w") as f:
    v = f.create_dataset("v", shape=(20000, 20000), dtype="u1", chunks=(20000, 20000), compression="gzip")
    v[:] = np.zeros((20000, 20000), "u1")

with h5py.File("cycle.h5", "w") as f:
    f.create_group("g")["again"] = f
    f["soft"] = h5py.SoftLink("/soft")
