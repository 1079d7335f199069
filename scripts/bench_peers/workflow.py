"""The VV/VH composite as it is written in Python: xarray over dask, SciPy's focal median, rioxarray's COG."""

import sys

import dask
import numpy as np
import rioxarray
import xarray as xr
from scipy.ndimage import median_filter

DATES = int(sys.argv[1])
y, x = np.mgrid[-10:11, -10:11]
DISK = x * x + y * y <= 100


def stack(pol):
    images = [
        rioxarray.open_rasterio(f"stack_{pol}_202301{date:02d}.tif", chunks={"x": 512, "y": 512}).squeeze("band", drop=True)
        for date in range(1, DATES + 1)
    ]
    cube = xr.concat(images, dim="time").chunk({"time": 1})
    # Ten pixels of overlap, so that chunks do not show.
    filtered = dask.array.map_overlap(
        lambda block: median_filter(block, footprint=DISK[None]), cube.data, depth={0: 0, 1: 10, 2: 10}, boundary="reflect"
    )
    return cube.copy(data=filtered)


ratio = 10 * np.log10(stack("VV")) - 10 * np.log10(stack("VH"))
ratio = ratio.where((ratio > -5) & (ratio < 15)).chunk({"time": -1})
with dask.config.set(scheduler="threads"):
    median, std = dask.compute(ratio.median("time"), ratio.std("time"))
median.rio.write_crs("EPSG:32633").rio.to_raster("vvvh_peer.tif", driver="COG")
std.rio.write_crs("EPSG:32633").rio.to_raster("vvvh_peer_std.tif", driver="COG")
