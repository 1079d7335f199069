"""A normalised difference with rasterio and numpy, whole arrays."""

import rasterio

with rasterio.open("a8192.tif") as source:
    a, profile = source.read(1), source.profile
with rasterio.open("b8192.tif") as source:
    b = source.read(1)
result = (a - b) / (a + b)
with rasterio.open("nd_peer.tif", "w", **profile) as target:
    target.write(result, 1)
