"""Harmonics of many images with NumPy: over_time.py HOW OUT.tif FILE…

HOW is `whole` (one np.linalg.lstsq of all pixels, which must have no gaps) or `masked` (one of each pixel's valid values, as people write it with
xarray.apply_ufunc or a loop). OUT has the bands offset, slope, annual and semiannual amplitude, residual.
"""

import sys
from datetime import datetime, timezone

import numpy as np
import rasterio

how, out, files = sys.argv[1], sys.argv[2], sorted(sys.argv[3:])
years, images = [], []
for name in files:
    with rasterio.open(name) as source:
        profile = source.profile
        images.append(source.read(1, masked=True).filled(np.nan))
    date = datetime.strptime(name[-12:-4], "%Y%m%d").replace(tzinfo=timezone.utc)
    years.append((date.timestamp() - 946684800) / (365.25 * 86400))
t, y = np.array(years), np.stack(images)
columns = [np.ones_like(t), t - t.min()]
for period in (1, 0.5):
    columns += [np.cos(2 * np.pi * t / period), np.sin(2 * np.pi * t / period)]
x = np.column_stack(columns)
shape = y.shape[1:]
y = y.reshape(len(t), -1)
if how == "whole":
    b = np.linalg.lstsq(x, y, rcond=None)[0]
    left = np.sqrt(np.mean((y - x @ b) ** 2, axis=0))
else:
    b, left = np.full((6, y.shape[1]), np.nan), np.full(y.shape[1], np.nan)
    for i in range(y.shape[1]):
        valid = np.isfinite(y[:, i])
        if valid.sum() > 6:
            found = np.linalg.lstsq(x[valid], y[valid, i], rcond=None)[0]
            b[:, i], left[i] = found, np.sqrt(np.mean((y[valid, i] - x[valid] @ found) ** 2))
bands = [b[0], b[1], np.hypot(b[2], b[3]), np.hypot(b[4], b[5]), left]
profile.update(count=len(bands), dtype="float32", nodata=np.nan, compress=None, predictor=1)
with rasterio.open(out, "w", **{k: v for k, v in profile.items() if v is not None}) as target:
    for i, band in enumerate(bands):
        target.write(band.reshape(shape).astype("float32"), i + 1)
