"""Runs every case on both sides and prints the table for docs/benchmarks.md.

Times are of whole processes as the operating system accounts them (user + system seconds, wall seconds, peak resident
memory); each side runs three times in turn and the median counts. Results are compared before times are.
"""

import json
import os
import socket
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
    for what, probe in [("small", "shifted2048.tif"), ("slc", "slc1024_moved.tif"), ("large", "b8192.tif"), ("stack", "stack_VH_20230120.tif"),
                        ("deflated", "deflated8192.tif"), ("classes", "classes30000.tif"), ("series", "series_500.tif")]:
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


def circles(count):
    """So many circles of 63 corners and 2.4 km across in the image of 82 km, the first two in opposite corners, as features in its CRS."""
    random = np.random.default_rng(1)
    centres = [(508000, 4992000), (574000, 4926000), *zip(random.uniform(508000, 574000, count), random.uniform(4926000, 4992000, count))]
    turn = np.append(np.linspace(0, 2 * np.pi, 64)[:-1], 0)
    rings = [[[x + 1200 * c, y + 1200 * s] for c, s in zip(np.cos(turn), np.sin(turn))] for x, y in centres[:count]]
    features = [{"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring]}} for ring in rings]
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32633"}}
    (DATA / f"circles{count}.geojson").write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": features}))
    return f"circles{count}.geojson"


def table(name):
    return np.genfromtxt(DATA / name, delimiter=",", names=True)


def zonal():
    for image, count in [("a8192.tif", 2), ("a8192.tif", 1000), ("deflated8192.tif", 1000)]:
        zones = circles(count)
        ours = lua(f'local r, g = require "raster", require "geometry"; r.open("{image}"):zonal(g.read("{zones}"), '
                   '{ statistics = { "count", "mean", "std", "min", "max" } }):write_csv("zonal_ours.csv")')
        a, b = compare(ours, peer("zonal", image, zones, "zonal_peer.csv"))
        x, y = table("zonal_ours.csv"), table("zonal_peer.csv")
        assert all(np.allclose(x[name], y[name], rtol=1e-9) for name in y.dtype.names), "the statistics differ"
        row(f"statistics of {count} zones, {image.removesuffix('.tif')}", a, b, "rasterio and NumPy, zone by zone; the same values")


def polygons():
    ours = lua('local r = require "raster"; assert(#r.open("classes8192.tif"):polygonize() > 1e5)')
    measured(lua('local r = require "raster"; r.open("classes1024.tif"):polygonize():table():select("class", "pixels")'
                 ':sort({ "class", "pixels" }):write_csv("polygons_ours.csv")'))
    measured(peer("polygons", "classes1024.tif", "polygons_peer.csv"))
    x, y = table("polygons_ours.csv"), table("polygons_peer.csv")
    assert (x["class"] == y["class"]).all() and (x["pixels"] == y["pixels"]).all(), "the polygons differ"
    a, b = compare(ours, peer("polygons", "classes8192.tif"))
    row("polygons of 3 classes with speckle, 8192²", a, b, "rasterio.features.shapes; the same polygons")
    # The peer takes some 20 GiB for this one.
    a = measured(lua('local r = require "raster"; r.open("classes30000.tif"):write_polygons("polygons.fgb", { minimum_pixels = 100 })'))
    print(f"| polygons of at least 100 pixels, 30,000², to a file | {a[0]:.2f} s CPU, {a[1]:.2f} s, {a[2]:.0f} MiB | – | – | |", flush=True)


def warp():
    grids = {
        "another UTM zone": ("EPSG:32632", 974670, 5020570, 10, 8192),
        "a shift of half a pixel": ("EPSG:32633", 500005, 4999995, 10, 8192),
        "2.5 times as coarse": ("EPSG:32633", 500000, 5000000, 25, 3276),
    }
    for what, (crs, x, y, size, side) in grids.items():
        for method in ("bilinear", "cubic", "average"):
            ours = lua(f'local r = require "raster"; local g = r.grid {{ crs = "{crs}", origin = {{ {x}, {y} }}, resolution = {size}, '
                       f'rows = {side}, cols = {side} }}; r.open("a8192.tif"):align(g, {{ resampling = "{method}" }})'
                       ':write("warp_ours.tif", { compress = "none", statistics = false })')
            extent = [x, y - side * size, x + side * size, y]
            theirs = ["gdalwarp", "-q", "-overwrite", "-t_srs", crs, "-te", *extent, "-ts", side, side, "-r", method, "-dstnodata", "nan",
                      "-co", "TILED=YES", "-co", "BLOCKXSIZE=512", "-co", "BLOCKYSIZE=512", "a8192.tif", "warp_peer.tif"]
            a, b = compare(ours, theirs)
            p, q = band("warp_ours.tif"), band("warp_peer.tif")
            both = np.isfinite(p) & np.isfinite(q)
            off = np.median(np.abs(p - q)[both]) / np.median(q[both])
            # Of speckle, between positions that differ by an eighth of a pixel, which gdalwarp allows itself.
            assert both.any() and off < 0.05, f"the images differ by {off}"
            row(f"{method} onto {what}, {side}²", a, b, "gdalwarp, its default tolerance")


def series():
    places = [(500000 + 1000 * i, 5000000 - 800 * i) for i in range(1, 11)]
    listed = ", ".join(f"{{ {x}, {y} }}" for x, y in places)
    ours = lua(f'local r = require "raster"; local t = r.stack("series_*.tif"):sample({{ {listed} }}); '
               'local v = {}; for i = 1, #t do v[i] = ("%.9g"):format(t[i].random) end; '
               'require("fs").write("series_ours.txt", table.concat(v, "\\n") .. "\\n")')
    files = sorted(path.name for path in DATA.glob("series_*.tif"))
    a, b = compare(ours, peer("series", "series_peer.txt", *(f"{x},{y}" for x, y in places), *files))
    x, y = np.loadtxt(DATA / "series_ours.txt"), np.loadtxt(DATA / "series_peer.txt")
    assert len(x) == 5000 and np.allclose(x, y, rtol=1e-6, equal_nan=True), "the values differ"
    row("500 deflated 1024² GeoTIFFs at 10 points", a, b, "rasterio, file by file; the same values")


def over_time():
    """Line, annual and semiannual wave through 200 dates of 1000² pixels, without gaps and with a fifth of the values masked."""
    make = ('local r = require "raster"; local g = r.grid {{ crs = 32633, origin = {{ 500000, 5000000 }}, resolution = 10, rows = 1000, cols = 1000 }}; '
            'local level = r.random(g, {{ seed = 999, distribution = "smooth" }}) * 200; for i = 1, 200 do local day = 12 * i; local t = day / 365.25; '
            'local v = r.random(g, {{ seed = i, distribution = "normal" }}) * 5 + level * (1 + 0.02 * t + 0.1 * math.cos(2 * math.pi * (t - 0.3))); '
            '{mask}v:rename("v"):write(("{name}_%s.tif"):format(require("time").format(1420070400 + 86400 * day)), {{ compress = "none", statistics = false }}) end')
    masks = {"dates": "", "gaps": 'v = v:mask(r.random(g, { seed = 5000 + i }):gt(0.2)); '}
    for name, mask in masks.items():
        if len(list(DATA.glob(f"{name}_*.tif"))) < 200:
            subprocess.run(lua(make.format(mask=mask, name=name)), cwd=DATA, check=True)
        bands = '"v_offset", "v_slope", "v_annual_amplitude", "v_semiannual_amplitude", "v_residual"'
        ours = lua(f'local r = require "raster"; local s = r.stack("{name}_*.tif", {{ pattern = "*_{{date:yyyymmdd}}.tif" }}); '
                   f's:harmonics():select({bands}):write("{name}ours.tif", {{ compress = "none", statistics = false }})')
        files = sorted(path.name for path in DATA.glob(f"{name}_*.tif"))
        how = "whole" if name == "dates" else "masked"
        a, b = compare(ours, peer("over_time", how, f"{name}peer.tif", *files), runs=3 if how == "whole" else 1)
        import rasterio

        with rasterio.open(DATA / f"{name}ours.tif") as x, rasterio.open(DATA / f"{name}peer.tif") as y:
            x, y = x.read(), y.read()
        assert np.allclose(x, y, rtol=1e-3, atol=1e-3, equal_nan=True), f"the fits differ by {np.nanmax(np.abs(x - y))}"
        row(f"harmonics of 200 dates × 1000², {'no gaps' if how == 'whole' else 'a fifth masked'}", a, b,
            "one np.linalg.lstsq" if how == "whole" else "np.linalg.lstsq, pixel by pixel")


def granules():
    if not (DATA / "granules/day199.nc").exists():
        subprocess.run(peer("granules", "make", DATA / "granules"), check=True)
    ours = lua('local r = require "raster"; r.stack("granules/*.nc"):mean():write("granules_ours.tif", { compress = "none", statistics = false })')
    a, b = compare(ours, peer("granules", "mean", "granules", "granules_peer.nc"))
    import xarray

    x, y = band("granules_ours.tif"), xarray.open_dataset(DATA / "granules_peer.nc").chlor_a.values
    assert np.allclose(x, y, atol=1e-4), "the means differ"
    row("mean of 200 netCDF files of 6 variables, 300 × 400", a, b, "xarray + dask")


def cog():
    for compress, level in [("deflate", 1), ("deflate", 6), ("deflate", 9), ("zstd", 1), ("zstd", 9), ("zstd", 15)]:
        ours = lua(f'require("raster").open("deflated8192.tif"):write("cog_ours.tif", {{ format = "COG", compress = "{compress}", level = {level}, '
                   'statistics = false })')
        theirs = ["gdal_translate", "-q", "-of", "COG", "-co", f"COMPRESS={compress.upper()}", "-co", f"LEVEL={level}", "-co", "PREDICTOR=YES",
                  "-co", "NUM_THREADS=ALL_CPUS", "deflated8192.tif", "cog_peer.tif"]
        a, b = compare(ours, theirs, runs=1, warm_up=False)
        assert np.array_equal(band("cog_ours.tif"), band("cog_peer.tif")), "the images differ"
        size = (DATA / "cog_ours.tif").stat().st_size / 2**20
        row(f"COG of 8192², {compress} {level}: {size:.0f} MiB", a, b, "gdal_translate; the same pixels")


def tables():
    import pandas

    if not (DATA / "million.csv").exists():
        subprocess.run(peer("tables", "make", DATA / "million.csv"), check=True)
    read = 'local t = require("tables").read("{}"); '
    group = 't = t:group_by("station", {{ {{ "mean", "value" }}, {{ "std", "value" }}, {{ "count", "value" }} }}); '
    cases = [("CSV read, grouped, written", "million.csv", "group", "group_{}.csv"), ("CSV read and written", "million.csv", "copy", "copy_{}.csv"),
             ("CSV to Parquet", "million.csv", "copy", "copy_{}.parquet"), ("Parquet read, grouped, written", "copy_ours.parquet", "group", "again_{}.csv")]
    for case, source, what, target in cases:
        code = read + (group if what == "group" else "") + 't:write("{}")'
        ours = lua(code.format(source, target.format("ours")))
        for name in ("pandas", "polars"):
            a, b = compare(ours, peer("tables", name, source, what, target.format(name)))
            frames = [(pandas.read_csv if target.endswith(".csv") else pandas.read_parquet)(DATA / target.format(side)) for side in ("ours", name)]
            for frame in frames:
                if "time" in frame:
                    frame["time"] = pandas.to_datetime(frame["time"], utc=True).astype("datetime64[ns, UTC]")
            pandas.testing.assert_frame_equal(*frames, rtol=1e-12)
            row(f"{case}, 1 million rows", a, b, f"{name}; the same values")


def huge():
    code = ('local r, f = require "raster", require "filter"; '
            'local g = r.grid { crs = "EPSG:32633", origin = { 0, 9e6 }, resolution = 10, rows = 30000, cols = 30000 }; '
            'local x = r.random(g, { distribution = "uniform", seed = 1 }); '
            'f.focal_mean((x * 2 - 1) / (x + 1), { radius = 3 }):write("huge.tif", { compress = "none", statistics = false })')
    cpu, wall, peak = measured(lua(code))
    print(f"| 30,000 × 30,000 expression with a focal mean | {cpu:.0f} s CPU, {wall:.0f} s, {peak:.0f} MiB | — | {cpu / wall:.2f} cores busy | |")
    (DATA / "huge.tif").unlink()


def netcdf():
    import xarray

    ours = lua('require("raster").open("a8192.tif"):rename("v"):write("netcdf_ours.nc", { statistics = false })')
    for how in ("xarray", "rasterio"):
        a, b = compare(ours, peer("netcdf", how, "a8192.tif", "netcdf_peer.nc"))
        with xarray.open_dataset(DATA / "netcdf_ours.nc") as x, xarray.open_dataset(DATA / "netcdf_peer.nc") as y:
            y = y.v if how == "xarray" else y.Band1
            # Of a file that GDAL made, row 0 is the southernmost.
            y = y if y.y[0] > y.y[1] else y[::-1]
            assert np.array_equal(x.v.values, y.values, equal_nan=True), "the pixels differ"
        sizes = [(DATA / f"netcdf_{side}.nc").stat().st_size >> 20 for side in ("ours", "peer")]
        row("8192² as netCDF-4, deflated", a, b, f"{how}; {sizes[0]} and {sizes[1]} MiB")


def ceilings():
    """The median of 24 deflated dates: no ceiling is to cost much more than another."""
    for dtype in ("float32", "int16"):
        make = (f'local r = require "raster"; local g = r.grid {{ crs = 32633, origin = {{ 500000, 5000000 }}, resolution = 10, rows = 4096, cols = 4096 }}; '
                f'for i = 1, 24 do (r.random(g, {{ seed = i }}) * 1000):rename("v"):write(("date_{dtype}_%02d.tif"):format(i), {{ dtype = "{dtype}", level = 1 }}) end')
        if not (DATA / f"date_{dtype}_24.tif").exists():
            subprocess.run(lua(make), cwd=DATA, check=True)
        median = (f'local r = require "raster"; local l = {{}}; for i = 1, 24 do l[i] = r.open(("date_{dtype}_%02d.tif"):format(i)) end; '
                  'print(r.stack(l):median():stats().v.mean)')
        for memory in ("64M", "256M", "4G"):
            cpu, wall, peak = median_of([measured([PERILUNE, "--memory", memory, "-e", median]) for _ in range(3)])
            print(f"| median of 24 deflated 4096² {dtype} dates, {memory} | {cpu:.2f} s CPU, {wall:.2f} s, {peak:.0f} MiB | — | | |", flush=True)


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


def told(command):
    """What a run prints."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=DATA)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\nfailed:\n{done.stderr}")
    return done.stdout


def zarr():
    """BENCH_TIMES and BENCH_SIDE make it smaller."""
    times, side = int(os.environ.get("BENCH_TIMES", 4000)), int(os.environ.get("BENCH_SIDE", 160))
    folder = DATA / "zarr"
    cube = f"cube_{times}_{side}.zarr"
    if not (folder / cube / ".zmetadata").exists():
        folder.mkdir(exist_ok=True)
        subprocess.run(peer("zarr_cube", "make", folder / cube, times, side), check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(peer("zarr_cube", "serve", folder, 0.05, port), stdout=subprocess.PIPE, text=True)
    try:
        server.stdout.readline()
        for place, where in [(folder / cube, "a folder"), (f"http://127.0.0.1:{port}/{cube}", "a server, 50 ms a request")]:
            for what, case in [("series", "a series of 4 variables at a point"), ("yearly", "yearly means of one variable")]:
                ours = [PERILUNE, "--quiet", "run", HERE / "zarr_cube.lua", "--cube", place, "--what", what]
                theirs = peer("zarr_cube", what, place)
                said = [told(command) for command in (ours, theirs)]
                assert said[0] == said[1], f"the results differ:\n{said[0]}{said[1]}"
                a, b = compare(ours, theirs, warm_up=False)
                row(f"{case} of a Zarr of {times} × {side}² from {where}", a, b, "xarray + zarr 3; the same sums, counts and means")
    finally:
        server.terminate()
        server.wait()


def items():
    import items as peers

    count = peers.COUNT
    folder = DATA / ("items" if count == 100 else f"items_{count}")
    if not (folder / f"red_{count:03}.tif").exists():
        subprocess.run(peer("items", "make", folder, PERILUNE), check=True)
    for delay in (0, 0.05):
        server = subprocess.Popen(peer("items", "serve", folder, delay), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        server.stdout.readline()

        def asked():
            server.stdin.write("count\n")
            server.stdin.flush()
            return json.loads(server.stdout.readline())

        ours = lua('local r, c = require "raster", require "catalog"; '
                   f'local s = r.stack(c.open("{folder.name}/items.json"), {{ assets = "red", target = r.grid {{ crs = 32633, origin = {{ 501600, 4998400 }}, resolution = 10, '
                   'rows = 2048, cols = 2048 } }); s:median():write("items_ours.tif", { compress = "none", statistics = false })')
        try:
            for how in ("odc", "stackstac"):
                theirs = peer("items", how, folder, "items_peer.tif")
                a, b = compare(ours, theirs, runs=1 if delay else 3, warm_up=False)
                x, y = band("items_ours.tif"), band("items_peer.tif")
                assert np.allclose(x, y, equal_nan=True), "the medians differ"
                counts = []
                for command in (ours, theirs):
                    asked()
                    measured(command)
                    counts.append(asked())
                said = " and ".join(f"{one['requests']} requests, {one['bytes'] / 2**20:.0f} MiB" for one in counts)
                row(f"median over 2048² of {count} items from a server of COGs, {delay * 1000:.0f} ms a request", a, b, f"{how}; the same pixels; {said}")
        finally:
            server.stdin.close()
            server.wait()


def epoch():
    """200 chips through a network once, from scenes and files to a model: training, too, not the reading alone."""
    if not (DATA / "epoch_chips/training_data.csv").exists():
        subprocess.run([PERILUNE, "--quiet", "run", HERE / "epoch.lua", "--what", "data"], cwd=DATA, check=True)
    ours = [PERILUNE, "--quiet", "--threads", 2, "run", HERE / "epoch.lua"]
    for workers in (0, 2):
        a, b = compare(ours, peer("epoch", 8, workers), runs=1, warm_up=False)
        row(f"an epoch of 200 chips of 256², U-Net, ResNet-18, 4 channels, DataLoader with {workers} workers", a, b, "PyTorch, skimage, rasterio")


CASES = [focal_median, refined_lee, tv_bregman, ampcor, autorift, expression, workflow, zonal, polygons, warp, series, over_time, granules, cog, netcdf, tables, ceilings, huge, stac, items, zarr, start]

# What needs more than the other environment has runs where it is named.
NAMED = [epoch]

if __name__ == "__main__":
    (DATA / "copies").mkdir(parents=True, exist_ok=True)
    if not WANTED or not set(WANTED) <= {"stac", "epoch", "items", "zarr"}:
        make_data()
    print("| case | perilune | peer | ratio | note |\n|---|---|---|---|---|")
    for case in CASES + NAMED:
        if case.__name__ in WANTED or (not WANTED and case not in NAMED):
            case()
