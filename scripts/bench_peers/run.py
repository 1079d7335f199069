"""Runs every case on both sides and prints the table for docs/benchmarks.md.

Times are of whole processes as the operating system accounts them (user + system seconds, wall seconds, peak resident
memory); each side runs three times in turn and the median counts. Results are compared before times are.
"""

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
PERILUNE, DATA = sys.argv[1], Path(sys.argv[2])
WANTED = sys.argv[3:]


def measured(command):
    """(CPU seconds, wall seconds, peak MiB) of one run, as GNU time has it.

    The kernel counts the memory of the process that forks towards the peak of the one that it starts, so a small
    program, not this one, has to start what is measured.
    """
    with tempfile.NamedTemporaryFile() as report:
        wrapped = ["/usr/bin/time", "-q", "-o", report.name, "-f", "%U %S %e %M", *map(str, command)]
        done = subprocess.run(wrapped, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=DATA)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(map(str, command))}\nfailed:\n{done.stderr.decode()}")
        user, system, wall, peak = map(float, Path(report.name).read_text().split())
    return user + system, wall, peak / 1024


def median_of(runs):
    return tuple(statistics.median(column) for column in zip(*runs))


def compare(ours, theirs, runs=3, warm_up=True):
    if warm_up:
        measured(ours)
    a, b = [], []
    for _ in range(runs):
        a.append(measured(ours))
        b.append(measured(theirs))
    return median_of(a), median_of(b)


def lua(code):
    return [PERILUNE, "-e", code]


def peer(name, *arguments):
    return [sys.executable, str(HERE / f"{name}.py"), *map(str, arguments)]


def band(name):
    import rasterio

    with rasterio.open(DATA / name) as source:
        return source.read(1)


def row(case, ours, theirs, note, scale=1.0):
    cpu = theirs[0] * scale / ours[0]
    wall = theirs[1] * scale / ours[1]
    print(
        f"| {case} | {ours[0]:.2f} s CPU, {ours[1]:.2f} s, {ours[2]:.0f} MiB "
        f"| {theirs[0] * scale:.2f} s CPU, {theirs[1] * scale:.2f} s, {theirs[2]:.0f} MiB "
        f"| {cpu:.1f}× CPU, {wall:.1f}× wall | {note} |",
        flush=True,
    )


def make_data():
    for what, probe in [("small", "shifted2048.tif"), ("slc", "slc1024_moved.tif"), ("large", "b8192.tif"), ("stack", "stack_VH_20230120.tif")]:
        if not (DATA / probe).exists():
            subprocess.run([PERILUNE, "run", HERE / "data.lua", "--folder", DATA, "--what", what], check=True)


def focal_median():
    ours = lua('local r, f = require "raster", require "filter"; f.focal_median(r.open("power2048.tif"), { radius = 10 })'
               ':write("focal_ours.tif", { compress = "none", statistics = false })')
    a, b = compare(ours, peer("focal_median"), runs=1)
    x, y = band("focal_ours.tif")[10:-10, 10:-10], band("focal_peer.tif")[10:-10, 10:-10]
    assert np.array_equal(x, y), "the medians differ"
    row("focal median, disk of radius 10 px, 2048², exact", a, b, "scipy.ndimage.median_filter; identical pixels")


def refined_lee():
    ours = lua('local r, f = require "raster", require "filter"; f.refined_lee(r.open("power2048.tif"):set_unit("power"))'
               ':write("lee_ours.tif", { compress = "none", statistics = false })')
    a, b = compare(ours, peer("refined_lee", "power2048.tif", "lee_peer.tif"))
    x, y = band("lee_ours.tif"), band("lee_peer.tif")
    off = np.nanmax(np.abs(x - y) / np.abs(y))
    assert off < 1e-3, f"refined Lee differs by {off}"
    row("Refined Lee, 2048²", a, b, f"numpy/scipy; largest relative difference {off:.0e}")


def tv_bregman():
    ours = lua('local r, f = require "raster", require "filter"; f.tv_bregman(r.open("db2048.tif"), { weight = 0.35 })'
               ':write("tv_ours.tif", { compress = "none", statistics = false })')
    a, b = compare(ours, peer("tv_bregman"))
    off = np.abs(band("tv_ours.tif") - band("tv_peer.tif")).max()
    assert off < 1e-3, f"TV differs by {off} dB"
    row("TV-Bregman, weight 0.35, 2048²", a, b, f"skimage.restoration; largest difference {off:.0e} dB")


def expression():
    ours = lua('local r = require "raster"; local a, b = r.open("a8192.tif"), r.open("b8192.tif"); '
               '((a - b) / (a + b)):write("nd_ours.tif", { compress = "none", statistics = false })')
    a, b = compare(ours, peer("expression"))
    assert np.allclose(band("nd_ours.tif"), band("nd_peer.tif"), atol=1e-6), "the expressions differ"
    row("(a − b)/(a + b), two 8192² f32 GeoTIFFs", a, b, "rasterio + numpy, whole arrays")
    copies = [measured(["cp", "a8192.tif", "b8192.tif", str(DATA / "copies")]) for _ in range(3)]
    print(f"\nCopying both inputs with cp: {median_of(copies)[1]:.2f} s wall; ours is {a[1] / median_of(copies)[1]:.2f}× of that.\n")


def autorift():
    code = ('local r, c = require "raster", require "correlation"; local a = r.open("power2048.tif"); '
            'c.autorift(a, r.open("shifted2048.tif"), { spacing = 16, search = 25 })'
            ':write("autorift_ours.tif", { compress = "none", statistics = false })')
    cpu, wall, peak = median_of([measured(lua(code)) for _ in range(3)])
    dx = band("autorift_ours.tif")
    assert np.nanmedian(np.abs(dx - 3)) < 0.1, "the shift was not found"
    print(f"| autoRIFT, 2048², {dx.size} nodes, chips 32, search 25 | {cpu:.2f} s CPU, {wall:.2f} s, {peak:.0f} MiB | — | | |")


def ampcor():
    for what, windows in [("points", 400), ("dense", 1089)]:
        for threads in (1, 2):
            command = [PERILUNE, "--threads", threads, "run", HERE / "ampcor.lua", "--what", what]
            cpu, wall, peak = median_of([measured(command) for _ in range(3)])
            print(f"| ampcor, {windows} windows, {what}, {threads} threads | {cpu:.2f} s CPU, {wall:.2f} s, {peak:.0f} MiB, "
                  f"{1000 * cpu / windows:.2f} ms CPU a window | — | | |")


def workflow():
    a = median_of([measured([PERILUNE, "run", HERE / "workflow.lua"]) for _ in range(3)])
    b = measured(peer("workflow", 2))
    row("median and std of VV/VH, focal median 100 m, 20 dates × 2048², to COG", a, b,
        "xarray + dask + scipy, timed on 2 dates and multiplied by 10", scale=10.0)


def huge():
    code = ('local r, f = require "raster", require "filter"; '
            'local g = r.grid { crs = "EPSG:32633", origin = { 0, 9e6 }, resolution = 10, rows = 30000, cols = 30000 }; '
            'local x = r.random(g, { distribution = "uniform", seed = 1 }); '
            'f.focal_mean((x * 2 - 1) / (x + 1), { radius = 3 }):write("huge.tif", { compress = "none", statistics = false })')
    cpu, wall, peak = measured(lua(code))
    print(f"| 30,000 × 30,000 expression with a focal mean | {cpu:.0f} s CPU, {wall:.0f} s, {peak:.0f} MiB | — | {cpu / wall:.2f} cores busy | |")
    (DATA / "huge.tif").unlink()


def start():
    a, b = compare(lua("print(1)"), [sys.executable, "-c", "import rasterio, xarray"], runs=11)
    row("start: print(1)", a, b, "python -c 'import rasterio, xarray'")


def stac():
    import stac_items

    # Beside this environment: that of the service, which has pystac-client too.
    python = Path(sys.executable).parents[2] / "stac-service/bin/python"
    serve = HERE.parent / "stac_service/serve.py"
    process, address = stac_items.start(python, serve, DATA / "stac", 10_000)
    try:
        for page in (250, 1000):
            ours = lua(f'local items = require("catalog").stac("{address}"):search({{ limit = {page} }}):all(); '
                       'require("fs").write("stac_ours.txt", table.concat(items:ids(), "\\n") .. "\\n")')
            theirs = [python, HERE / "stac.py", address, page, DATA / "stac_peer.txt"]
            a, b = compare(ours, theirs)
            ids = [sorted((DATA / f"stac_{side}.txt").read_text().split()) for side in ("ours", "peer")]
            assert ids[0] == ids[1] and len(ids[0]) == 10_000, "the items differ"
            row(f"10,000 items from stac-fastapi-pgstac, {page} a page", a, b, "pystac-client; the same ids")
    finally:
        process.stdin.close()
        process.wait()


CASES = [focal_median, refined_lee, tv_bregman, ampcor, autorift, expression, workflow, huge, stac, start]

if __name__ == "__main__":
    (DATA / "copies").mkdir(parents=True, exist_ok=True)
    if set(WANTED) != {"stac"}:
        make_data()
    print("| case | perilune | peer | ratio | note |\n|---|---|---|---|---|")
    for case in CASES:
        if not WANTED or case.__name__ in WANTED:
            case()
