"""Median over a disk of radius 10 px with SciPy."""

import numpy as np
import rasterio
from scipy.ndimage import median_filter

y, x = np.mgrid[-10:11, -10:11]
with rasterio.open("power2048.tif") as source:
    image, profile = source.read(1), source.profile
result = median_filter(image, footprint=x * x + y * y <= 100)
with rasterio.open("focal_peer.tif", "w", **profile) as target:
    target.write(result, 1)
