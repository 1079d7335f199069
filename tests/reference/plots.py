"""Contours, quartiles and ticks as matplotlib 3 and contourpy 1 have them, for the tests in src/plot: `plots.py tests/fixtures/plots`."""

import sys
from pathlib import Path

import contourpy
import matplotlib
import numpy as np
from matplotlib import cbook
from matplotlib.colors import LogNorm, SymLogNorm
from matplotlib.ticker import SymmetricalLogLocator

folder = Path(sys.argv[1])

with open(folder / "contours.txt", "w") as out:
    print(f"# contourpy {contourpy.__version__}: level, number of lines, and their vertices as x y", file=out)
    r, c = np.mgrid[:40, :50]
    z = (((r - 12.0) ** 2 - (c - 25.0) ** 2 * 0.5) / 8 + (r * 7919 + c * 104729) % 97 / 16).astype("f4")
    z = np.ma.masked_where((r - 20) ** 2 + (c - 33) ** 2 < 16, z)
    contours = contourpy.contour_generator(z=z, name="serial", corner_mask=False)
    for level in [-20.0, -5.03, 0.01, 2.7, 8.2, 30.0]:
        lines = contours.lines(level)
        vertices = np.concatenate(lines).ravel()
        print(level, len(lines), *(f"{v:.6f}" for v in vertices), file=out)

with open(folder / "boxes.txt", "w") as out:
    print(f"# matplotlib {matplotlib.__version__} cbook.boxplot_stats: q1 med q3 whislo whishi, outliers | values", file=out)
    random = np.random.default_rng(1)
    for values in [
        [1, 2, 3, 4, 100],
        [3.5],
        [1, 1, 1, 1, 9],
        [2, 4],
        np.round(random.normal(0, 3, 57), 3),
        np.round(random.exponential(2, 40), 3),
    ]:
        s = cbook.boxplot_stats(np.asarray(values, "f8"), whis=1.5)[0]
        numbers = [s[k] for k in ["q1", "med", "q3", "whislo", "whishi"]] + sorted(s["fliers"])
        print(*(f"{v:.9g}" for v in numbers), "|", *values, file=out)

with open(folder / "norms.txt", "w") as out:
    print(f"# matplotlib {matplotlib.__version__}: low high linear | value:position of SymLogNorm(base=10) | ticks within", file=out)
    for low, high, linear in [(-1000, 1000, 1), (-50, 2000, 10), (-0.3, 0.2, 0.001), (5, 3000, 1), (-2e5, 10, 3), (-100, 0, 0.1)]:
        norm = SymLogNorm(linthresh=linear, vmin=low, vmax=high, base=10)
        values = np.linspace(low, high, 9)
        values = np.concatenate([values, [linear, -linear, linear / 2, 0]])
        values = values[(values >= low) & (values <= high)]
        ticks = SymmetricalLogLocator(base=10, linthresh=linear).tick_values(low, high)
        ticks = [t for t in ticks if low <= t <= high]
        print(low, high, linear, "|", *(f"{v:.9g}:{float(norm(v)):.9f}" for v in values), "|", *(f"{t:.9g}" for t in ticks), file=out)
    norm = LogNorm(vmin=0.01, vmax=50)
    print("# LogNorm 0.01 to 50 | value:position", file=out)
    print("log |", *(f"{v:.9g}:{float(norm(v)):.9f}" for v in [0.01, 0.3, 1, 7, 50]), file=out)
