"""Makes the containers of tests/fixtures/containers, with h5py, netCDF4 and zarr (version 2) and without GDAL.

    gdalsrsinfo -o wkt1 --single-line EPSG:32611 > utm.wkt
    cd tests/fixtures/containers && venv/bin/python ../../reference/containers.py utm.wkt

Each holds `height`, int16 with nodata -999, scale 0.5, offset 100 and the unit m: stored as 0 … 23, 8 is masked; and `power`,
float32, 0.25 … 23.25, the first NaN. The netCDF file has three times of power, each 1 more than the one before.
"""

import sys

import h5py
import netCDF4
import numpy as np
import zarr

ROWS, COLS = 4, 6
HEIGHT = np.arange(ROWS * COLS, dtype="i2").reshape(ROWS, COLS)
HEIGHT[1, 2] = -999
POWER = np.arange(ROWS * COLS, dtype="f4").reshape(ROWS, COLS) + np.float32(0.25)
POWER[0, 0] = np.nan
WKT = open(sys.argv[1]).read().strip()

with netCDF4.Dataset("scene.nc", "w") as d:
    d.createDimension("time", 3)
    d.createDimension("y", ROWS)
    d.createDimension("x", COLS)
    x = d.createVariable("x", "f8", ("x",))
    x[:] = 500005 + 10 * np.arange(COLS)
    x.standard_name, x.units = "projection_x_coordinate", "m"
    y = d.createVariable("y", "f8", ("y",))
    y[:] = 3999995 - 10 * np.arange(ROWS)
    y.standard_name, y.units = "projection_y_coordinate", "m"
    t = d.createVariable("time", "f8", ("time",))
    t[:] = [0, 12, 24]
    t.units = "days since 2024-01-05"
    crs = d.createVariable("crs", "i4")
    crs.grid_mapping_name, crs.spatial_ref, crs.crs_wkt = "transverse_mercator", WKT, WKT
    h = d.createVariable("height", "i2", ("y", "x"), fill_value=-999)
    h.set_auto_maskandscale(False)
    h.scale_factor, h.add_offset, h.units, h.grid_mapping = 0.5, 100.0, "m", "crs"
    h[:] = HEIGHT
    p = d.createVariable("power", "f4", ("time", "y", "x"))
    p.grid_mapping = "crs"
    for i in range(3):
        p[i] = POWER + i

with h5py.File("scene.h5", "w") as d:
    g = d.create_group("science/grids")
    h = g.create_dataset("height", data=HEIGHT)
    h.attrs["_FillValue"] = np.int16(-999)
    h.attrs["scale_factor"], h.attrs["add_offset"], h.attrs["units"] = 0.5, 100.0, "m"
    g.create_dataset("power", data=POWER)
    g.create_dataset("slc", data=(POWER + 1j * HEIGHT).astype("c8"))

d = zarr.open_group("scene.zarr", "w")
for name, data, fill in [("height", HEIGHT, -999), ("power", POWER, float("nan"))]:
    z = d.create_dataset(name, data=data, chunks=(2, 4), fill_value=fill, compressor=zarr.Zlib(1))
    z.attrs["_ARRAY_DIMENSIONS"] = ["y", "x"]
d["height"].attrs.update({"scale_factor": 0.5, "add_offset": 100.0, "units": "m"})
