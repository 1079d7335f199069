"""The figures of figures.lua by matplotlib, as one writes them for a paper: same data, sizes and colours."""

import csv
import datetime

import matplotlib

matplotlib.use("Agg")
import matplotlib.dates as dates
import matplotlib.pyplot as plt
import numpy as np
import rasterio
from matplotlib.colors import LogNorm

plt.rcParams.update({"font.size": 9, "savefig.dpi": 150, "figure.constrained_layout.use": True})


def read(path):
    with rasterio.open(path) as file:
        bands = file.read(masked=True).astype("float64").filled(np.nan)
        left, bottom, right, top = file.bounds
        return bands, (left / 1000, right / 1000, bottom / 1000, top / 1000)


def columns(path):
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: [row[name] for row in rows] for name in rows[0]}


def numbers(values):
    return np.array([float(v) if v not in ("", "NaN") else np.nan for v in values])


def days(values):
    return [datetime.datetime.fromisoformat(v[:10]) for v in values]


def kilometres(axes):
    axes.set_xlabel("Easting (km)")
    axes.set_ylabel("Northing (km)")


def velocity_map():
    (vx, vy), extent = read("flow.tif")
    speed = np.hypot(vx, vy)
    figure, axes = plt.subplots(figsize=(4.4, 3.6))
    image = axes.imshow(speed, extent=extent, norm=LogNorm(50, 8000))
    step = 5
    rows, cols = np.mgrid[step // 2 : speed.shape[0] : step, step // 2 : speed.shape[1] : step]
    x = extent[0] + (cols + 0.5) / speed.shape[1] * (extent[1] - extent[0])
    y = extent[3] - (rows + 0.5) / speed.shape[0] * (extent[3] - extent[2])
    root = np.sqrt(speed[rows, cols])
    arrows = axes.quiver(x, y, vx[rows, cols] / root, vy[rows, cols] / root, width=0.005)
    axes.quiverkey(arrows, 0.8, 1.05, np.sqrt(5000), "5000 m/yr", labelpos="E")
    figure.colorbar(image, label="Speed (m/yr)", extend="both")
    kilometres(axes)
    figure.savefig("theirs/a_velocity_map.png")


def years():
    figure, panels = plt.subplots(1, 3, figsize=(6.4, 2.4), sharey=True)
    for letter, year, axes in zip("abc", (2015, 2016, 2017), panels):
        bands, extent = read(f"speed_{year}.tif")
        image = axes.imshow(bands[0], extent=extent, vmin=0, vmax=7000, cmap="magma")
        axes.set_title(f"({letter}) {year}")
        axes.set_xlabel("Easting (km)")
    panels[0].set_ylabel("Northing (km)")
    figure.colorbar(image, ax=panels, label="Speed (m/yr)")
    figure.savefig("theirs/b_years.png")


def hovmoller():
    table = columns("along.csv")
    when, where = days(table["time"]), numbers(table["distance_km"])
    times, places = sorted(set(when)), sorted(set(where))
    values = np.full((len(places), len(times)), np.nan)
    for t, d, v in zip(when, where, numbers(table["speed"])):
        values[places.index(d), times.index(t)] = v
    figure, axes = plt.subplots(figsize=(4.8, 3))
    low, high = np.nanpercentile(values, (2, 98))
    image = axes.pcolormesh(times, places, values, shading="nearest", vmin=low, vmax=high)
    axes.set_ylabel("Distance along the flow line (km)")
    figure.colorbar(image, label="Speed (m/yr)", extend="both")
    figure.savefig("theirs/c_hovmoller.png")


def months():
    table = columns("series.csv")
    speed, month = numbers(table["speed"]), numbers(table["month"])
    groups = [speed[month == m] for m in range(1, 13)]
    names = [datetime.date(2000, m, 1).strftime("%b") + f"\n({len(g)})" for m, g in enumerate(groups, 1)]
    figure, axes = plt.subplots(figsize=(4.8, 3))
    axes.boxplot(groups, tick_labels=names)
    axes.set_ylabel("Speed (m/yr)")
    figure.savefig("theirs/d_months.png")


def contours():
    (vv,), extent = read("vv.tif")
    (height,), _ = read("height.tif")
    figure, axes = plt.subplots(figsize=(4.4, 3.9))
    image = axes.imshow(vv, extent=extent, cmap="gray", vmin=-25, vmax=0)
    lines = axes.contour(height, 8, extent=extent, origin="upper", colors="#d62728", linewidths=0.8)
    axes.clabel(lines, fontsize=7)
    figure.colorbar(image, label="γ⁰ VV (dB)", extend="both")
    kilometres(axes)
    figure.savefig("theirs/e_contours.png")


def series():
    table = columns("series.csv")
    when, speed = days(table["time"]), numbers(table["speed"])
    figure, axes = plt.subplots(figsize=(4.8, 3))
    axes.errorbar(when, speed, numbers(table["error"]), fmt="o", ms=3, capsize=2, lw=0.8, label="image pairs")
    elapsed = np.array([(t - when[0]).days for t in when])
    slope, first = np.polyfit(elapsed, speed, 1)
    ends = elapsed[[0, -1]]
    axes.plot([when[0], when[-1]], first + slope * ends, "C3--", label=f"{slope * 365.25:+.0f} m/yr per year")
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(axes.xaxis.get_major_locator()))
    axes.set_ylabel("Speed (m/yr)")
    axes.legend()
    figure.savefig("theirs/f_series.png")


for make in (velocity_map, years, hovmoller, months, contours, series):
    make()
