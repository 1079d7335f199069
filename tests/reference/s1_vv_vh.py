"""Records what the workflow s1_vv_vh must give on the OPERA RTC-S1 crops, worked out pixel by pixel with numpy alone.

    python3 -m venv venv && venv/bin/pip install numpy rasterio
    venv/bin/python tests/reference/s1_vv_vh.py ../shared/data tests/fixtures/sentinel1

Nothing here is shared with perilune: every window is cut out and sorted, in float64, with no running sums. NaN is
masked; a window uses its valid pixels only; the standard deviation is that of the population, as in Earth Engine's
stdDev. Takes about three minutes.
"""

import glob
import json
import os
import sys

import numpy as np
import rasterio

BURSTS = ["T137-292318-IW2", "T137-292319-IW2", "T137-292324-IW2"]
SIZE = 100
SPACING_M = 30.0


def pixels():
    """Corners, edges and 32 others, the same for every burst: (row, col) from 0."""
    fixed = [(0, 0), (0, 99), (99, 0), (99, 99), (0, 50), (50, 0), (99, 50), (50, 99)]
    rng = np.random.default_rng(292318)
    return fixed + [(int(r), int(c)) for r, c in rng.integers(2, SIZE - 2, (32, 2))]


def read(folder, burst, polarisation):
    paths = sorted(glob.glob(os.path.join(folder, burst, f"*_{polarisation}.tif")))
    images = []
    for path in paths:
        with rasterio.open(path) as file:
            images.append(file.read(1).astype(np.float64))
    return np.stack(images)


def decibels(power):
    with np.errstate(divide="ignore", invalid="ignore"):
        db = 10 * np.log10(power)
    return np.where(np.isfinite(db), db, np.nan)


def offsets(radius_px):
    reach = int(np.floor(radius_px))
    return [(dr, dc) for dr in range(-reach, reach + 1) for dc in range(-reach, reach + 1)
            if dr * dr + dc * dc <= radius_px * radius_px]


def focal_median(image, radius_px):
    """The median of the inclusive disk, where the centre is valid; of an even count, the mean of the middle two."""
    disk, (rows, cols) = offsets(radius_px), image.shape
    out = np.full(image.shape, np.nan)
    for r in range(rows):
        for c in range(cols):
            values = [image[r + dr, c + dc] for dr, dc in disk if 0 <= r + dr < rows and 0 <= c + dc < cols]
            values = [v for v in values if not np.isnan(v)]
            if values and not np.isnan(image[r, c]):
                out[r, c] = np.median(values)
    return out


def moments(values):
    values = values[~np.isnan(values)]
    return (np.mean(values), np.var(values)) if values.size else (np.nan, np.nan)


def refined_lee(image):
    """Refined Lee of the notebook: nine 3×3 windows inside 7×7, four gradients, eight half windows."""
    rows, cols = image.shape
    padded = np.pad(image, 4, constant_values=np.nan)
    mean3, var3 = np.full(padded.shape, np.nan), np.full(padded.shape, np.nan)
    for r in range(4, rows + 4):
        for c in range(4, cols + 4):
            if not np.isnan(padded[r, c]):
                mean3[r, c], var3[r, c] = moments(padded[r - 1:r + 2, c - 1:c + 2])
    rectangle = np.zeros((7, 7), bool)
    rectangle[3:, :] = True
    triangle = np.tril(np.ones((7, 7), bool))
    kernels = []
    for turn in range(4):
        kernels += [np.rot90(rectangle, -turn), np.rot90(triangle, -turn)]
    out = np.full(image.shape, np.nan)
    for r in range(rows):
        for c in range(cols):
            R, C = r + 4, c + 4
            m = mean3[R - 2:R + 3:2, C - 2:C + 3:2].ravel()
            v = var3[R - 2:R + 3:2, C - 2:C + 3:2].ravel()
            if np.isnan(m).any():
                continue
            gradients = [abs(m[1] - m[7]), abs(m[6] - m[2]), abs(m[3] - m[5]), abs(m[0] - m[8])]
            codes = [1 if m[1] - m[4] > m[4] - m[7] else 5, 2 if m[6] - m[4] > m[4] - m[2] else 6,
                     3 if m[3] - m[4] > m[4] - m[5] else 7, 4 if m[0] - m[4] > m[4] - m[8] else 8]
            code = sum(k for k, g in zip(codes, gradients) if g == max(gradients))
            if not 1 <= code <= 8:
                continue
            with np.errstate(divide="ignore", invalid="ignore"):
                noise = np.mean(np.sort(np.where(m == 0, 0, v / (m * m)))[:5])
            window = padded[R - 3:R + 4, C - 3:C + 4]
            mean, variance = moments(window[kernels[code - 1]])
            signal = (variance - mean * mean * noise) / (noise + 1)
            b = 0.0 if variance == 0 else signal / variance
            out[r, c] = mean + b * (image[r, c] - mean)
    return out


def quantity(name, vv, vh):
    """`vv` and `vh` are filtered: in decibels for the notebook's quantity, in power for the others."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if name == "ratio_db":
            q = decibels(vv / vh)
        elif name == "ratio":
            q = vv / vh
        elif name == "difference":
            q = vv - vh
        else:
            q = vv / vh
            q = np.where((q > -5) & (q < 5), q, np.nan)
    return np.where(np.isfinite(q), q, np.nan)


def record(folder):
    points = pixels()
    at = tuple(np.array(points).T)
    cases = {}
    for burst in BURSTS:
        vv, vh = read(folder, burst, "VV"), read(folder, burst, "VH")
        assert vv.shape == vh.shape == (21, SIZE, SIZE)
        filters = {
            "none": lambda a: a,
            "focal": lambda a: np.stack([focal_median(i, 100 / SPACING_M) for i in a]),
            "refined_lee": lambda a: np.stack([refined_lee(i) for i in a]),
        }
        filtered = {name: (f(vv), f(vh)) for name, f in filters.items()}
        filtered["focal_dB"] = (filters["focal"](decibels(vv)), filters["focal"](decibels(vh)))
        for name, speckle in [("ratio_db", "focal"), ("ratio", "focal"), ("difference", "focal"),
                              ("notebook", "focal"), ("ratio_db", "none"), ("ratio_db", "refined_lee")]:
            key = "focal_dB" if name == "notebook" else speckle
            series = quantity(name, *filtered[key])
            with np.errstate(invalid="ignore"):
                valid = np.isfinite(series).any(axis=0)
                median = np.full(valid.shape, np.nan)
                std = np.full(valid.shape, np.nan)
                for r, c in zip(*np.nonzero(valid)):
                    values = series[:, r, c][np.isfinite(series[:, r, c])]
                    median[r, c] = np.median(values)
                    std[r, c] = np.std(values)
            short = lambda a: [None if np.isnan(v) else float(f"{v:.7g}") for v in a]
            cases[f"{burst}/{name}/{speckle}"] = {
                "valid": int(valid.sum()),
                "median_mean": float(f"{np.nanmean(median):.9g}"),
                "std_mean": float(f"{np.nanmean(std):.9g}"),
                "median": short(median[at]),
                "std": short(std[at]),
                "series": short(series[:, 50, 50]),
            }
            print(f"{burst} {name:10} {speckle:11}", cases[f"{burst}/{name}/{speckle}"]["median_mean"], flush=True)
    return {"pixels": [list(p) for p in points], "series_pixel": [50, 50], "cases": cases}


def main():
    data, target = sys.argv[1], sys.argv[2]
    result = record(os.path.join(data, "sentinel1/opera_rtc_10SGD_T137/raw"))
    text = json.dumps(result, separators=(",", ":")).replace('},"', '},\n"').replace('"cases":{', '"cases":{\n')
    with open(os.path.join(target, "s1_vv_vh.json"), "w") as file:
        file.write(text + "\n")


main()
