"""Yearly means of a folder of ITS_LIVE granules as the notebook makes them: every granule opened, clipped with rioxarray, all concatenated.

itslive_years.py FOLDER POLYGON.geojson OUT.nc [weighted]
"""

import json
import sys
from pathlib import Path

import numpy as np
import rioxarray  # noqa: F401
import xarray as xr

folder, polygon, out = sys.argv[1:4]
geometry = json.loads(Path(polygon).read_text())
if geometry["type"] == "FeatureCollection":
    geometry = geometry["features"][0]["geometry"]

granules = []
for path in sorted(Path(folder).glob("*.nc")):
    data = xr.open_dataset(path, engine="netcdf4")
    mapping = data.vx.attrs.get("grid_mapping") or data.vx.encoding["grid_mapping"]
    crs = data[mapping].attrs.get("spatial_ref") or data[mapping].attrs["crs_wkt"]
    pair = data.img_pair_info.attrs
    dates = [pair.get(f"acquisition_date_img{i}") or pair[f"aquisition_date_img{i}"] for i in (1, 2)]
    days = [np.datetime64(f"{d[:4]}-{d[4:6]}-{d[6:8]}" + (d[8:] if len(d) > 8 else ""), "ns") for d in dates]
    names = [n for n in ("vx", "vy", "v", "v_error", "chip_size_width", "chip_size_height", "interp_mask") if n in data]
    clipped = data[names].rio.write_crs(crs).rio.clip([geometry], crs="EPSG:4326")
    span = abs(days[1] - days[0])
    granules.append((crs, clipped.load().expand_dims(time=[min(days) + span / 2]).drop_vars(mapping, errors="ignore")))
    data.close()

common = max({c for c, _ in granules}, key=lambda c: sum(c == other for other, _ in granules))
cube = xr.concat([g for c, g in granules if c == common], dim="time", join="outer", data_vars="all").sortby("time")
if len(sys.argv) > 4:
    weight = 1 / cube.v_error.astype("f8") ** 2
    valid = cube.vx.notnull() & cube.vy.notnull() & weight.notnull()
    weight = weight.where(valid)
    year = weight.groupby("time.year").sum()
    means = xr.Dataset({n: (weight * cube[n]).groupby("time.year").sum() / year for n in ("vx", "vy")})
    means["v"] = np.hypot(means.vx, means.vy)
else:
    means = cube[["vx", "vy", "v"]].groupby("time.year").mean()
means.to_netcdf(out)
