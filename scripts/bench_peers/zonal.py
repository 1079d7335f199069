"""Statistics of an image in each feature with rasterio, as it is usually done: the features' window, a mask, NumPy.

zonal.py IMAGE FEATURES.geojson OUT.csv
"""

import json
import sys

import numpy as np
import rasterio
from rasterio import features

with open(sys.argv[2]) as file:
    zones = json.load(file)["features"]
with rasterio.open(sys.argv[1]) as source, open(sys.argv[3], "w") as out:
    print("count,mean,std,min,max", file=out)
    for zone in zones:
        window = features.geometry_window(source, [zone["geometry"]])
        image = source.read(1, window=window)
        inside = features.geometry_mask([zone["geometry"]], image.shape, source.window_transform(window), invert=True)
        values = image[inside]
        values = values[np.isfinite(values)].astype(np.float64)
        print(values.size, values.mean(), values.std(), values.min(), values.max(), sep=",", file=out)
