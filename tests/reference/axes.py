"""Makes tests/fixtures/axes with netCDF4, h5py and by hand (Zarr version 2), without GDAL: arrays in all orders of their axes.

    cd tests/fixtures/axes && venv/bin/python ../../reference/axes.py

`v` at x = 500005 + 10 c, y = 4000005 + 10 r (north of one another) and time t is 100 t + 10 r + c, for 2 times, 3 rows and 4 columns. The
files are called by the order of the axes, of which those with a minus fall: t-yx has row 0 in the north and column 0 in the west.
"""

import itertools
import json
import os

import h5py
import netCDF4
import numpy as np

T, Y, X = np.meshgrid(np.arange(2), np.arange(3), np.arange(4), indexing="ij")
VALUES = {"t": [0, 12], "y": 4000005 + 10.0 * np.arange(3), "x": 500005 + 10.0 * np.arange(4)}
ATTRIBUTES = {"t": {"units": "days since 2024-01-05", "axis": "T"}, "y": {"units": "m"}, "x": {"units": "m"}}
CUBE = (100 * T + 10 * Y + X).astype("f4")

orders = ["".join(p) for p in itertools.permutations("tyx")] + ["t-yx", "ty-x", "t-y-x", "-xt-y", "-yx", "yx", "xy", "x-y"]
for order in orders:
    axes = order.replace("-", "")
    data = CUBE if "t" in axes else CUBE[0]
    data = np.transpose(data, ["tyx".index(a) if "t" in axes else "yx".index(a) for a in axes])
    coordinates = {}
    for i, axis in enumerate(axes):
        coordinates[axis] = np.asarray(VALUES[axis], "f8")
        if "-" + axis in order:
            coordinates[axis], data = coordinates[axis][::-1], np.flip(data, i)
    with netCDF4.Dataset(f"{order}.nc", "w", format="NETCDF3_CLASSIC") as d:
        for axis, steps in coordinates.items():
            d.createDimension(axis, len(steps))
            c = d.createVariable(axis, "f8", (axis,))
            c[:] = steps
            c.setncatts(ATTRIBUTES[axis])
        v = d.createVariable("v", "f4", tuple(axes))
        v[:] = data
    with h5py.File(f"{order}.h5", "w") as d:
        for axis, steps in coordinates.items():
            c = d.create_dataset(axis, data=steps)
            c.make_scale(axis)
            c.attrs.update(ATTRIBUTES[axis])
        v = d.create_dataset("v", data=data)
        for i, axis in enumerate(axes):
            v.dims[i].attach_scale(d[axis])
    if order not in ("-yx", "yx", "xy", "x-y", "tyx", "xty", "t-yx"):
        continue
    root = f"{order}.zarr"
    arrays = {"v": (data, list(axes), {})} | {a: (np.ascontiguousarray(s), [a], ATTRIBUTES[a]) for a, s in coordinates.items()}
    os.makedirs(root, exist_ok=True)
    json.dump({"zarr_format": 2}, open(f"{root}/.zgroup", "w"))
    for name, (array, dims, attributes) in arrays.items():
        os.makedirs(f"{root}/{name}", exist_ok=True)
        meta = {"zarr_format": 2, "shape": array.shape, "chunks": array.shape, "dtype": array.dtype.str, "compressor": None,
                "fill_value": None, "order": "C", "filters": None}
        json.dump(meta, open(f"{root}/{name}/.zarray", "w"))
        json.dump({"_ARRAY_DIMENSIONS": dims} | attributes, open(f"{root}/{name}/.zattrs", "w"))
        open(f"{root}/{name}/" + ".".join("0" * array.ndim), "wb").write(np.ascontiguousarray(array).tobytes())
