"""Daily files of several variables: made here, or averaged over the days with xarray.

granules.py make FOLDER, or granules.py mean FOLDER OUT.nc
"""

import sys
from pathlib import Path

import numpy as np
import xarray as xr

NAMES = ["chlor_a", "kd_490", "par", "sst", "poc", "nflh"]

if sys.argv[1] == "make":
    folder = Path(sys.argv[2])
    folder.mkdir(exist_ok=True)
    rows, cols = 300, 400
    noise = np.random.default_rng(4).normal(size=(1, rows, cols))
    place = {"lat": np.linspace(40, 30, rows), "lon": np.linspace(10, 25, cols)}
    for day in range(200):
        time = np.datetime64("2020-01-01", "ns") + np.timedelta64(day, "D")
        layers = {name: (("time", "lat", "lon"), np.round(noise + i + 0.01 * day, 2).astype(np.float32)) for i, name in enumerate(NAMES)}
        data = xr.Dataset(layers, coords={"time": [time], **place})
        data.lat.attrs = {"units": "degrees_north", "standard_name": "latitude"}
        data.lon.attrs = {"units": "degrees_east", "standard_name": "longitude"}
        data.to_netcdf(folder / f"day{day:03}.nc", encoding={name: {"zlib": True, "complevel": 4} for name in NAMES})
else:
    files = sorted(Path(sys.argv[2]).glob("*.nc"))
    days = xr.open_mfdataset(files, combine="nested", concat_dim="time")
    days.mean("time").to_netcdf(sys.argv[3])
