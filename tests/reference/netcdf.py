#!/usr/bin/env python3
"""What pyproj says of the grid mappings in tests/lua/raster/netcdf.lua, and whether others read the files that perilune writes.

    python netcdf.py mappings                 # the table in the test
    python netcdf.py check PERILUNE           # needs xarray, netCDF4, rioxarray, rasterio: writes files with that program and reads them

Made with pyproj 3.7, xarray 2025.x, rasterio 1.4."""

import subprocess
import sys
import tempfile

CODES = [32633, 32733, 3031, 3413, 3035, 5070, 2154, 6933, 2193, 3395, 4326, 2263]
KEYS = [
    "grid_mapping_name",
    "standard_parallel",
    "longitude_of_central_meridian",
    "longitude_of_projection_origin",
    "straight_vertical_longitude_from_pole",
    "latitude_of_projection_origin",
    "scale_factor_at_central_meridian",
    "scale_factor_at_projection_origin",
    "false_easting",
    "false_northing",
    "semi_major_axis",
    "inverse_flattening",
    "longitude_of_prime_meridian",
    "reference_ellipsoid_name",
]


def mappings():
    from pyproj import CRS

    for code in CODES:
        told = CRS.from_epsg(code).to_cf()
        parts = []
        for key in KEYS:
            if key not in told:
                continue
            value = told[key]
            if isinstance(value, (tuple, list)):
                value = "{ %s }" % ", ".join(repr(float(v)) for v in value)
            elif isinstance(value, str):
                value = f'"{value}"'
            else:
                value = repr(float(value))
            parts.append(f"{key} = {value}")
        print(f"  [{code}] = {{ {', '.join(parts)} }},")


SCRIPT = """
local raster = require "raster"
for name, options in pairs {
  utm = { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = 700, cols = 900 },
  degrees = { crs = "EPSG:4326", origin = { 12, 48 }, resolution = 0.01, rows = 30, cols = 40 },
  laea = { crs = "EPSG:3035", origin = { 4000000, 3000000 }, resolution = 100, rows = 30, cols = 40 },
} do
  local grid = raster.grid(options)
  local a = raster.coordinates(grid):select "x":rename "a":cast "float32":set_unit "m"
  local b = (raster.coordinates(grid):select "y" % 251):rename "b"
  b = b:mask(b:gt(20)):cast "int16"
  raster.bands(a, b):write(name .. ".nc")
  raster.bands(a, b):write(name .. ".tif", { dtype = "float64" })
  local timed = raster.stack { { b, time = "2024-02-29T12:30:00Z" } }[1]
  timed:write(name .. "_timed.nc", { compress = "none" })
  local packed = (raster.coordinates(grid):select "x" % 7):rename "p"
  packed:write(name .. "_packed.nc", { dtype = "int16", scale = 0.01, offset = 3, nodata = -1 })
  packed:write(name .. "_packed.tif", { dtype = "int16", scale = 0.01, offset = 3, nodata = -1 })
end
"""


def check(program):
    import numpy as np
    import rasterio
    import rioxarray  # noqa: F401
    import xarray as xr

    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "-q", "-e", SCRIPT], cwd=folder, check=True)
        for name, code in [("utm", 32633), ("degrees", 4326), ("laea", 3035)]:
            path = f"{folder}/{name}"
            with rasterio.open(path + ".tif") as tif:
                want, transform = tif.read(masked=True).filled(np.nan), tif.transform
            data = xr.open_dataset(path + ".nc", decode_coords="all")
            assert data.rio.crs.to_epsg() == code, data.rio.crs
            assert np.allclose(data.rio.transform(), transform), data.rio.transform()
            assert data.attrs["Conventions"].startswith("CF-")
            for i, band in enumerate("ab"):
                got = data[band].values
                assert np.array_equal(got, want[i].astype(got.dtype), equal_nan=True), (name, band)
                with rasterio.open(f"netcdf:{path}.nc:{band}") as nc:
                    assert nc.crs.to_epsg() == code and nc.transform.almost_equals(transform)
                    again = nc.read(1, masked=True).astype("f8").filled(np.nan)
                    assert np.array_equal(again, got.astype("f8"), equal_nan=True), (name, band)
            assert data.a.attrs["units"] == "m"
            timed = xr.open_dataset(path + "_timed.nc")
            assert timed.b.dims[0] == "time" and str(timed.time.values[0]).startswith("2024-02-29T12:30:00")
            with rasterio.open(path + "_packed.tif") as tif:
                stored = tif.read(1).astype("f8")
                assert (tif.scales, tif.offsets) == ((0.01,), (3.0,))
            packed = xr.open_dataset(path + "_packed.nc").p
            assert np.allclose(packed.values, stored * 0.01 + 3, rtol=1e-6), name
            raw = xr.open_dataset(path + "_packed.nc", mask_and_scale=False).p
            assert np.array_equal(raw.values, stored), name
            print(name, "is the same in xarray, rioxarray and rasterio")


if __name__ == "__main__":
    if sys.argv[1:2] == ["mappings"]:
        mappings()
    else:
        check(sys.argv[2])
