"""Records gamma0, incidence-angle masks and HH/HV of the PALSAR-2 mosaic tile, with numpy alone.

    venv/bin/python tests/reference/palsar.py ../shared/data tests/fixtures/palsar

gamma0 in dB is 20·log10(DN) − 83 (JAXA). A pixel counts where DN is above the nodata value 1, the mask says land (255) or
water (50), and 30.63993 < local incidence angle < 45.53993. The median is of the inclusive disk of radius 3 pixels, of
valid pixels, where the centre is valid. Half of the recorded pixels are land, half water.
"""

import json
import os
import sys

import numpy as np
import rasterio

ANGLES = (30.63993, 45.53993)


def read(folder, layer):
    with rasterio.open(os.path.join(folder, f"N23W161_20_{layer}_F02DAR_crop.tif")) as file:
        return file.read(1)


def gamma0(dn):
    dn = dn.astype(np.float64)
    return np.where(dn > 1, dn * dn * 10 ** (-83 / 10), np.nan)


def median_at(image, row, col, radius=3):
    if np.isnan(image[row, col]):
        return np.nan
    values = []
    for r in range(row - radius, row + radius + 1):
        for c in range(col - radius, col + radius + 1):
            inside = 0 <= r < image.shape[0] and 0 <= c < image.shape[1]
            if inside and (r - row) ** 2 + (c - col) ** 2 <= radius * radius and not np.isnan(image[r, c]):
                values.append(image[r, c])
    return np.median(values)


def main():
    folder = os.path.join(sys.argv[1], "palsar")
    hh, hv = gamma0(read(folder, "sl_HH")), gamma0(read(folder, "sl_HV"))
    angle, kind = read(folder, "linci").astype(np.float64), read(folder, "mask")
    angle[angle == 1] = np.nan
    clean = np.isin(kind, [50, 255])
    with np.errstate(invalid="ignore"):
        seen = (angle > ANGLES[0]) & (angle < ANGLES[1])
    image = {"HH": hh, "HV": hv}
    record = {"counts": {}, "means_dB": {}, "pixels": [], "dB": {}, "ratio_db_r3": []}
    masked = {}
    for name, power in image.items():
        masked[name] = np.where(clean & seen, power, np.nan)
        for step, values in [("valid", power), ("clean", np.where(clean, power, np.nan)), ("masked", masked[name])]:
            record["counts"][f"{name}_{step}"] = int(np.isfinite(values).sum())
            record["means_dB"][f"{name}_{step}"] = float(f"{np.nanmean(10 * np.log10(values)):.9g}")
    rng = np.random.default_rng(161)
    both = np.isfinite(masked["HH"]) & np.isfinite(masked["HV"])
    picked = []
    for code in (50, 255):
        places = np.argwhere(both & (kind == code))
        picked += [places[i] for i in rng.choice(len(places), 20, replace=False)]
    for r, c in sorted((int(r), int(c)) for r, c in picked):
        record["pixels"].append([r, c])
        ratio = median_at(masked["HH"], r, c) / median_at(masked["HV"], r, c)
        record["ratio_db_r3"].append(float(f"{10 * np.log10(ratio):.7g}"))
    for name, power in masked.items():
        record["dB"][name] = [float(f"{10 * np.log10(power[r, c]):.7g}") for r, c in record["pixels"]]
    with open(os.path.join(sys.argv[2], "n23w161.json"), "w") as file:
        file.write(json.dumps(record, separators=(",", ":")).replace('],"', '],\n"').replace('},"', '},\n"') + "\n")


main()
