"""Makes tests/fixtures/located: `pixels.tif` (40 rows, 60 columns, of its own pixel coordinates x and y), virtual rasters of it that are placed by ground control points
and by rational polynomials, a swath with geolocation arrays, a grid of uneven latitudes, and where GDAL, through rasterio 1.4 (GDAL 3.10), places their pixels.

    cd tests/fixtures/located && venv/bin/python ../../reference/located.py
"""

import csv
import math

import netCDF4
import numpy as np
import rasterio
from rasterio.control import GroundControlPoint
from rasterio.rpc import RPC
from rasterio.transform import GCPTransformer, RPCTransformer

ROWS, COLS = 40, 60


def place(col, row):
    """A radar's near and far range: neither affine nor a polynomial."""
    lon = 11 + 0.004 * col + 3e-5 * col * math.sqrt(col + 4) - 0.0006 * row
    lat = 46 - 0.003 * row - 0.0008 * col + 0.004 * math.sin(row / 9 + col / 17)
    return lon, lat


SOURCE = """<VRTRasterBand dataType="Float64" band="{0}"><SimpleSource>
<SourceFilename relativeToVRT="1">pixels.tif</SourceFilename><SourceBand>{0}</SourceBand></SimpleSource></VRTRasterBand>"""
BANDS = "".join(SOURCE.format(i) for i in (1, 2))

with rasterio.open("pixels.tif", "w", driver="GTiff", width=COLS, height=ROWS, count=2, dtype="float32", compress="deflate") as d:
    d.write(np.tile(np.arange(COLS, dtype="f4") + 0.5, (ROWS, 1)), 1)
    d.write(np.tile(np.arange(ROWS, dtype="f4")[:, None] + 0.5, (1, COLS)), 2)

rows = []
rng = np.random.default_rng(5)
points = [(float(c), float(r)) for c, r in zip(rng.uniform(0.5, COLS - 0.5, 150), rng.uniform(0.5, ROWS - 0.5, 150))]

def record(kind, count, transformer):
    """Places all over the image, and the pixel positions that they have, which is the way that reprojection goes."""
    for c, r in points:
        x, y = transformer.xy([r], [c], offset="ul")
        row, col = transformer.rowcol(x, y, op=lambda v: v)
        rows.append([kind, count, float(col[0]), float(row[0]), float(x[0]), float(y[0])])


for kind, step in [("spline", 10), ("polynomial", 20)]:
    gcps = [(c, r) for r in range(0, ROWS + 1, step) for c in range(0, COLS + 1, 10 if step == 10 else 30)]
    listed = "".join(
        f'<GCP Id="{i}" Pixel="{c}" Line="{r}" X="{place(c, r)[0]!r}" Y="{place(c, r)[1]!r}"/>' for i, (c, r) in enumerate(gcps)
    )
    text = f'<VRTDataset rasterXSize="{COLS}" rasterYSize="{ROWS}"><GCPList Projection="EPSG:4326">{listed}</GCPList>{BANDS}</VRTDataset>'
    open(f"{kind}.vrt", "w").write(text)
    made = [GroundControlPoint(row=r, col=c, x=place(c, r)[0], y=place(c, r)[1]) for c, r in gcps]
    with GCPTransformer(made, tps=kind == "spline") as t:
        record(kind, len(made), t)

rpc = RPC(
    err_bias=None, err_rand=None, height_off=500.0, height_scale=500.0, lat_off=46.0, lat_scale=0.1, line_off=20.0, line_scale=20.0,
    long_off=11.0, long_scale=0.15, samp_off=30.0, samp_scale=30.0,
    line_num_coeff=[0.01, 0.05, -1.0, 0.01, 0.004, 0.0, 0.001, 0.003, -0.002] + [0.0] * 11,
    line_den_coeff=[1.0, 0.001, 0.002] + [0.0] * 17,
    samp_num_coeff=[-0.02, 1.0, 0.03, -0.02, 0.005, 0.001, 0.0, -0.004, 0.002] + [0.0] * 11,
    samp_den_coeff=[1.0, -0.002, 0.001] + [0.0] * 17,
)
items = "".join(f'<MDI key="{k}">{v}</MDI>' for k, v in rpc.to_gdal().items() if v is not None)
text = f'<VRTDataset rasterXSize="{COLS}" rasterYSize="{ROWS}"><Metadata domain="RPC">{items}</Metadata>{BANDS}</VRTDataset>'
open("rpc.vrt", "w").write(text)
with RPCTransformer(rpc, rpc_height=500.0) as t:
    record("rpc", 0, t)

with netCDF4.Dataset("swath.nc", "w", format="NETCDF3_CLASSIC") as d:
    d.createDimension("line", ROWS)
    d.createDimension("column", COLS)
    lon, lat = (d.createVariable(n, "f8", ("line", "column")) for n in ("lon", "lat"))
    lon.standard_name, lon.units = "longitude", "degrees_east"
    lat.standard_name, lat.units = "latitude", "degrees_north"
    v = d.createVariable("v", "f4", ("line", "column"))
    v.coordinates = "lon lat"
    for r in range(ROWS):
        for c in range(COLS):
            lon[r, c], lat[r, c] = place(c + 0.5, r + 0.5)
            v[r, c] = 100 * r + c
for r in range(2, ROWS - 2, 3):
    for c in range(2, COLS - 2, 7):
        rows.append(["swath", 0, c + 0.5, r + 0.5, *place(c + 0.5, r + 0.5)])

with open("places.csv", "w", newline="") as f:
    w = csv.writer(f, lineterminator="\n")
    w.writerow(["kind", "points", "col", "row", "x", "y"])
    w.writerows([r[0], r[1], *(repr(float(v)) for v in r[2:])] for r in rows)

# Latitudes in uneven steps, southern first: `v` is 10 × the row from the south + the column.
with netCDF4.Dataset("gaussian.nc", "w", format="NETCDF3_CLASSIC") as d:
    for name, steps in [("lat", [54.0, 60.0, 65.66, 71.21, 76.76, 82.31, 87.86]), ("lon", [0.0, 90.0, 180.0, 270.0])]:
        d.createDimension(name, len(steps))
        v = d.createVariable(name, "f8", (name,))
        v[:] = steps
        v.units = "degrees_north" if name == "lat" else "degrees_east"
    v = d.createVariable("v", "f4", ("lat", "lon"))
    v[:] = 10 * np.arange(7)[:, None] + np.arange(4)[None, :]

# The swath once more, with its arrays in a file of their own, as numbers of a millionth of a degree.
with netCDF4.Dataset("radiance.nc", "w", format="NETCDF3_CLASSIC") as d, netCDF4.Dataset("geo.nc", "w", format="NETCDF3_CLASSIC") as g:
    for f in (d, g):
        f.createDimension("rows", ROWS)
        f.createDimension("columns", COLS)
    v = d.createVariable("radiance", "f4", ("rows", "columns"))
    v[:] = 100 * np.arange(ROWS)[:, None] + np.arange(COLS)[None, :]
    for k, name in enumerate(["longitude", "latitude"]):
        a = g.createVariable(name, "i4", ("rows", "columns"), fill_value=-2147483648)
        a.scale_factor = 1e-6
        a[:] = np.array([[place(c + 0.5, r + 0.5)[k] for c in range(COLS)] for r in range(ROWS)])
