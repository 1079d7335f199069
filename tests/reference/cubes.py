#!/usr/bin/env python3
"""Whether others read the cubes that `Stack:write` writes and adds to, and the same values: xarray (by netCDF4, h5netcdf and zarr) and GDAL (by rasterio).

    pip install numpy xarray netCDF4 h5netcdf "zarr>=3" rioxarray rasterio
    python cubes.py check PERILUNE
    python cubes.py script            # the Lua that writes them
    python cubes.py h5py FOLDER       # tests/cli/cubes.rs: the netCDF files in a folder by h5py alone

What the pixels are is computed here again by numpy, from their step, row and column alone. Made with xarray 2026.9, netCDF4 1.7, zarr 3.1, rasterio 1.5.
"""

import subprocess
import sys
import tempfile

import numpy as np

ROWS, COLS, TIMES = 137, 203, 17

SCRIPT = """
local raster = require "raster"
local grid = raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = 137, cols = 203 }
local place = raster.coordinates(grid)
local row, col = (5000000 - place.y) / 10 - 0.5, (place.x - 500000) / 10 - 0.5
local function stack(first, last)
  local images = {}
  for step = first, last do
    local v = (step * 1000 + row * 210 + col):rename "v":set_unit "m"
    v = v:mask(((row * 203 + col + step) % 7):gt(0.5))
    local n = ((row + col * 2 + step) % 200):rename "n":cast "uint8"
    images[#images + 1] = { raster.bands(v, n), time = ("2024-%02d-%02dT06:30:00Z"):format(step // 28 + 1, step % 28 + 1) }
  end
  return raster.stack(images)
end
for path, options in pairs {
  ["cube.nc"] = {}, ["chunks.nc"] = { chunks = { 4, 50, 64 } }, ["three.zarr"] = { chunks = { 4, 32, 32 } }, ["two.zarr"] = { version = 2, chunks = { 4, 32, 32 } },
} do
  options.append = true
  stack(0, 10):write(path, options)
  stack(11, 16):write(path, options)
end
local packed = function(first, last) return stack(first, last):map(function(i) return (i.v / 7):set_unit "m" end) end
for path, options in pairs { ["packed.nc"] = {}, ["packed.zarr"] = {}, ["packed2.zarr"] = { version = 2 } } do
  options.append, options.dtype, options.scale, options.offset = true, "int16", 0.25, 100
  packed(0, 10):write(path, options)
  packed(11, 16):write(path, options)
end
"""


def expected():
    step, row, col = np.meshgrid(np.arange(TIMES), np.arange(ROWS), np.arange(COLS), indexing="ij")
    want_v = np.where((row * COLS + col + step) % 7 == 0, np.nan, step * 1000.0 + row * 210 + col)
    want_n = (row + col * 2 + step) % 200
    days = [f"2024-{s // 28 + 1:02}-{s % 28 + 1:02}T06:30:00" for s in range(TIMES)]
    return want_v, want_n, days


def by_h5py(folder):
    import h5py

    want_v, want_n, days = expected()
    for name in ("cube.nc", "chunks.nc", "packed.nc"):
        with h5py.File(f"{folder}/{name}") as file:
            since = np.datetime64("1970-01-01") + file["time"][:].astype("m8[s]")
            assert [str(t)[:19] for t in since] == days, name
            assert file["time"].attrs["units"] == b"seconds since 1970-01-01 00:00:00"
            assert np.array_equal(file["x"][:], 500005.0 + 10 * np.arange(COLS)) and np.array_equal(file["y"][:], 4999995.0 - 10 * np.arange(ROWS))
            scales = [file["v"].dims[i][0].name for i in range(3)]
            assert scales == ["/time", "/y", "/x"], scales
            v = file["v"]
            if name == "packed.nc":
                want = np.where(np.isnan(want_v), v.attrs["_FillValue"], (want_v / 7 - 100) / 0.25)
                assert v.dtype == np.int16 and np.abs(v[:] - want).max() <= 0.501
                continue
            assert np.array_equal(v[:], want_v.astype("f4"), equal_nan=True) and np.isnan(v.attrs["_FillValue"])
            assert file["n"].dtype == np.uint8 and np.array_equal(file["n"][:], want_n)
            assert v.compression == "gzip" and (name == "cube.nc" or v.chunks == (4, 50, 64)), v.chunks
            # As many chunks along a series as over a map, give or take their whole numbers.
            print(name, v.chunks)


def main(program):
    import rasterio
    import rioxarray  # noqa: F401
    import xarray as xr

    want_v, want_n, days = expected()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "-q", "-e", SCRIPT], cwd=folder, check=True)
        for name in ("cube.nc", "chunks.nc", "three.zarr", "two.zarr", "packed.nc", "packed.zarr", "packed2.zarr"):
            path = f"{folder}/{name}"
            ways = [dict(engine="zarr")] if name.endswith("zarr") else [dict(engine="netcdf4"), dict(engine="h5netcdf")]
            for way in ways:
                data = xr.open_dataset(path, decode_coords="all", **way)
                assert [str(t)[:19] for t in data.time.values] == days, name
                assert data.v.dims == ("time", "y", "x") and data.v.attrs["units"] == "m"
                assert data.rio.crs.to_epsg() == 32633 and np.allclose(data.rio.transform()[:6], (10, 0, 500000, 0, -10, 5000000))
                assert data.attrs["Conventions"].startswith("CF-") and "PERILUNE_VERSION" in data.attrs
                if name.startswith("packed"):
                    off = np.abs(data.v.values - want_v / 7)
                    assert np.array_equal(np.isnan(off), np.isnan(want_v)) and np.nanmax(off) <= 0.12501, (name, np.nanmax(off))
                    assert data.v.encoding["dtype"] == np.int16 and data.v.encoding["scale_factor"] == 0.25
                else:
                    assert np.array_equal(data.v.values, want_v.astype("f4"), equal_nan=True), name
                    assert np.array_equal(data.n.values, want_n), name
                    # Of whole numbers one is kept for masked pixels, so xarray gives floats.
                    raw = xr.open_dataset(path, mask_and_scale=False, **way)
                    assert raw.n.dtype == np.uint8 and np.array_equal(raw.n.values, want_n), name
                print(name, way["engine"], "chunks", data.v.encoding.get("chunksizes") or data.v.encoding.get("chunks"))
            if name.endswith(".nc"):
                with rasterio.open(f"netcdf:{path}:v") as file:
                    got = file.read(masked=True).astype("f8").filled(np.nan)
                    assert file.crs.to_epsg() == 32633 and file.count == TIMES
                    scale, offset = file.scales[0], file.offsets[0]
                    if name.startswith("packed"):
                        assert np.nanmax(np.abs(got * scale + offset - want_v / 7)) <= 0.12501
                    else:
                        assert np.array_equal(got, want_v.astype("f4").astype("f8"), equal_nan=True), name
                print(name, "GDAL", rasterio.__gdal_version__)
    print("all read the same")


if __name__ == "__main__":
    if sys.argv[1] == "script":
        print(SCRIPT)
    elif sys.argv[1] == "h5py":
        by_h5py(sys.argv[2])
    else:
        main(sys.argv[2])
