"""Where pyproj finds the pixel centres of a target grid in a source grid, for tests/lua/raster/warp.lua: `warp_positions.py > ../fixtures/warp/positions.json`.

Every pixel centre of the target goes through pyproj (no lattice, no interpolation). It is valid where it has an image that lies in the
source grid (longitudes modulo 360) and that leads back to where it came from within a pixel: the inverses of many projections answer
beyond their limbs, too. Given for each pair: the number of valid pixels, the sum of their positions in the target (row * cols + col), and
the sums of the columns and rows (from 0) of the source pixels that hold them.
"""

import json
import sys

import numpy as np
import pyproj

WORLD = (-180, -90, 180, 90)
WORLD_360 = (0, -90, 360, 90)
GEOS = "+proj=geos +h=35786023 +lon_0=%s +sweep=%s +ellps=GRS80 +units=m"
DISC = (-5.6e6, -5.6e6, 5.6e6, 5.6e6)
POLAR = (-3333250, -3333250, 3333250, 3333250)
MOLLWEIDE = ("ESRI:54009", (-18.1e6, -9.1e6, 18.1e6, 9.1e6))
SINUSOIDAL = ("+proj=sinu +R=6371007.181 +units=m", (-20015109.354, -10007554.677, 20015109.354, 10007554.677))
ORTHO = "+proj=ortho +lat_0=%s +lon_0=%s +ellps=WGS84"
HEMISPHERE = (-6.4e6, -6.4e6, 6.4e6, 6.4e6)
MERCATOR = ("EPSG:3857", (-20037508.342789244, -20037508.342789244, 20037508.342789244, 20037508.342789244))


def utm(zone, south=False):
    return f"EPSG:32{7 if south else 6}{zone:02d}"


# (name, source CRS, bounds, resolution, target CRS, bounds, resolution)
PAIRS = [
    ("south pole, 500 m to 1 degree", "EPSG:3031", POLAR, 500, "EPSG:4326", (-180, -90, 180, -60), 1),
    ("south pole, 5 km to 1 degree", "EPSG:3031", POLAR, 5000, "EPSG:4326", (-180, -90, 180, -60), 1),
    ("south pole to 2 degrees", "EPSG:3031", POLAR, 5000, "EPSG:4326", (-180, -90, 180, -60), 2),
    ("south pole to 10 degrees", "EPSG:3031", POLAR, 5000, "EPSG:4326", (-180, -90, 180, -50), 10),
    ("south pole to 0.1 degree", "EPSG:3031", POLAR, 5000, "EPSG:4326", (-180, -90, 180, -60), 0.1),
    ("south pole to degrees from 0 to 360", "EPSG:3031", POLAR, 5000, "EPSG:4326", (0, -90, 360, -60), 1),
    ("sea ice south, 3976", "EPSG:3976", (-3950000, -3950000, 3950000, 4350000), 25000, "EPSG:4326", (-180, -90, 180, -39), 1),
    ("sea ice south, 3412", "EPSG:3412", (-3950000, -3950000, 3950000, 4350000), 25000, "EPSG:4326", (-180, -90, 180, -39), 1),
    ("UPS south, 32761", "EPSG:32761", (0, 0, 4000000, 4000000), 10000, "EPSG:4326", (-180, -90, 180, -70), 0.5),
    ("UPS north, 32661", "EPSG:32661", (0, 0, 4000000, 4000000), 10000, "EPSG:4326", (-180, 70, 180, 90), 0.5),
    ("sea ice north, 3413", "EPSG:3413", (-3850000, -5350000, 3750000, 5850000), 25000, "EPSG:4326", (-180, 30, 180, 90), 0.25),
    ("EASE 2 north", "EPSG:6931", (-9000000, -9000000, 9000000, 9000000), 25000, "EPSG:4326", WORLD, 0.5),
    ("EASE 2 south", "EPSG:6932", (-9000000, -9000000, 9000000, 9000000), 25000, "EPSG:4326", WORLD, 1),
    ("EASE 2 global", "EPSG:6933", (-17367530, -7307375, 17367530, 7307375), 36032, "EPSG:4326", WORLD, 0.5),
    ("degrees onto the south pole", "EPSG:4326", WORLD, 0.25, "EPSG:3031", POLAR, 10000),
    ("degrees onto the north pole", "EPSG:4326", WORLD, 0.25, "EPSG:3413", (-3850000, -5350000, 3750000, 5850000), 10000),
    ("degrees from 0 to 360 onto the north pole", "EPSG:4326", WORLD_360, 0.25, "EPSG:3413", (-3850000, -5350000, 3750000, 5850000), 25000),
    ("degrees onto the whole of EASE 2 north", "EPSG:4326", WORLD, 0.5, "EPSG:6931", (-18000000, -18000000, 18000000, 18000000), 100000),
    ("degrees from 0 to 360 onto degrees", "EPSG:4326", WORLD_360, 2, "EPSG:4326", WORLD, 10),
    ("degrees onto degrees from 0 to 360", "EPSG:4326", WORLD, 1, "EPSG:4326", WORLD_360, 1),
    ("degrees onto degrees across 180", "EPSG:4326", WORLD, 0.3, "EPSG:4326", (165, -20, 195, 20), 0.25),
    ("a part in degrees that crosses 180", "EPSG:4326", (170, -30, 200, 10), 0.1, "EPSG:4326", WORLD, 0.5),
    ("a part in degrees that crosses 180, in UTM 1", "EPSG:4326", (170, 0, 200, 10), 0.01, utm(1), (100000, 200000, 900000, 900000), 2000),
    ("degrees from 0 to 360 onto UTM 11", "EPSG:4326", WORLD_360, 1, utm(11), (200000, 3500000, 800000, 4500000), 5000),
    ("degrees onto UTM 60, both sides of 180", "EPSG:4326", WORLD, 0.1, utm(60, True), (200000, 7000000, 1200000, 9000000), 5000),
    ("UTM 1 onto degrees", utm(1), (100000, 0, 900000, 1000000), 1000, "EPSG:4326", (-190, -5, -170, 15), 0.05),
    ("UTM 1 onto all degrees", utm(1), (100000, 0, 900000, 1000000), 1000, "EPSG:4326", WORLD, 0.5),
    ("UTM 33 onto all degrees", utm(33), (100000, 0, 900000, 9000000), 5000, "EPSG:4326", WORLD, 0.5),
    ("UTM 33, far from its zone", utm(33), (-3000000, -1000000, 4000000, 9500000), 10000, "EPSG:4326", WORLD, 0.5),
    ("degrees onto UTM 33 far from its zone", "EPSG:4326", WORLD, 0.25, utm(33), (-4000000, -2000000, 5000000, 12000000), 20000),
    ("UTM 33 onto UTM 40", utm(33), (-1000000, 3000000, 3000000, 8000000), 5000, utm(40), (-3000000, 3000000, 2000000, 8000000), 10000),
    ("full disc of GOES east onto degrees", GEOS % (-75.2, "x"), DISC, 20000, "EPSG:4326", WORLD, 0.5),
    ("full disc of Himawari onto degrees", GEOS % (140.7, "y"), DISC, 20000, "EPSG:4326", WORLD, 0.25),
    ("full disc of Himawari onto degrees from 0 to 360", GEOS % (140.7, "y"), DISC, 20000, "EPSG:4326", WORLD_360, 1),
    ("full disc of Meteosat onto Mercator", GEOS % (0, "y"), DISC, 20000, *MERCATOR, 100000),
    ("degrees onto a full disc", "EPSG:4326", WORLD, 0.25, GEOS % (0, "y"), DISC, 20000),
    ("degrees onto a full disc across 180", "EPSG:4326", WORLD, 0.25, GEOS % (140.7, "y"), DISC, 10000),
    ("degrees onto a coarse full disc", "EPSG:4326", WORLD, 1, GEOS % (-137.2, "x"), DISC, 200000),
    ("Mollweide onto degrees", *MOLLWEIDE, 50000, "EPSG:4326", WORLD, 0.5),
    ("degrees onto Mollweide", "EPSG:4326", WORLD, 0.5, *MOLLWEIDE, 25000),
    ("degrees onto coarse Mollweide", "EPSG:4326", WORLD_360, 1, *MOLLWEIDE, 300000),
    ("MODIS sinusoidal onto degrees", *SINUSOIDAL, 20000, "EPSG:4326", WORLD, 0.25),
    ("degrees onto sinusoidal", "EPSG:4326", WORLD, 0.5, *SINUSOIDAL, 40000),
    ("orthographic onto degrees", ORTHO % (0, 0), HEMISPHERE, 20000, "EPSG:4326", WORLD, 0.5),
    ("orthographic of a pole onto degrees", ORTHO % (90, 0), HEMISPHERE, 20000, "EPSG:4326", WORLD, 1),
    ("degrees onto oblique orthographic", "EPSG:4326", WORLD, 0.5, ORTHO % (40, -100), HEMISPHERE, 25000),
    ("degrees onto fine oblique orthographic", "EPSG:4326", WORLD, 0.5, ORTHO % (-60, 170), HEMISPHERE, 12000),
    ("Robinson onto degrees", "ESRI:54030", (-17005833, -8625154, 17005833, 8625154), 50000, "EPSG:4326", WORLD, 1),
    ("degrees onto Robinson", "EPSG:4326", WORLD, 0.5, "ESRI:54030", (-17.1e6, -8.7e6, 17.1e6, 8.7e6), 40000),
    ("Equal Earth onto Mercator", "EPSG:8857", (-17243959, -8392927, 17243959, 8392927), 50000, *MERCATOR, 120000),
    ("Mercator onto degrees", *MERCATOR, 40000, "EPSG:4326", WORLD, 0.5),
    ("degrees from 0 to 360 onto Mercator", "EPSG:4326", WORLD_360, 0.5, *MERCATOR, 60000),
    ("Lambert conic onto degrees", "EPSG:3034", (2000000, 1000000, 7000000, 6000000), 10000, "EPSG:4326", (-40, 20, 70, 75), 0.1),
    ("Lambert azimuthal onto degrees", "EPSG:3035", (900000, 900000, 7400000, 5500000), 10000, "EPSG:4326", WORLD, 0.5),
    ("south pole onto sea ice south", "EPSG:3031", POLAR, 5000, "EPSG:3412", (-3950000, -3950000, 3950000, 4350000), 12500),
    ("gnomonic onto degrees", "+proj=gnom +lat_0=-90 +R=6378137", (-10000000, -10000000, 10000000, 10000000), 50000, "EPSG:4326", WORLD, 1),
]


def grid(crs, bounds, resolution):
    """The upper left corner stays, whole pixels, as raster.grid makes it."""
    x0, y0, x1, y1 = bounds
    count = lambda length: max(int(np.ceil(length / resolution - 1e-6)), 1)
    return {"crs": crs, "origin": [x0, y1], "resolution": resolution, "rows": count(y1 - y0), "cols": count(x1 - x0)}


def positions(source, target):
    there = pyproj.Transformer.from_crs(target["crs"], source["crs"], always_xy=True)
    back = pyproj.Transformer.from_crs(source["crs"], target["crs"], always_xy=True)
    r, c = np.mgrid[0 : target["rows"], 0 : target["cols"]]
    x = target["origin"][0] + (c + 0.5) * target["resolution"]
    y = target["origin"][1] - (r + 0.5) * target["resolution"]
    sx, sy = there.transform(x, y)
    bx, by = back.transform(sx, sy)
    with np.errstate(invalid="ignore"):
        dx, dy = bx - x, by - y
        if pyproj.CRS(target["crs"]).is_geographic:
            dx = (dx - 360 * np.round(dx / 360)) * np.cos(np.radians(y))
        size = target["resolution"]
        valid = np.isfinite(sx) & np.isfinite(sy) & (abs(dx) < size) & (abs(dy) < size)
        if pyproj.CRS(source["crs"]).is_geographic:
            sx = source["origin"][0] + (sx - source["origin"][0]) % 360
        col = (sx - source["origin"][0]) / source["resolution"]
        row = (source["origin"][1] - sy) / source["resolution"]
        valid &= (col >= 0) & (col < source["cols"]) & (row >= 0) & (row < source["rows"])
    return valid, np.floor(col[valid]).astype(int), np.floor(row[valid]).astype(int)


table = []
for name, *ends in PAIRS:
    source, target = grid(*ends[:3]), grid(*ends[3:])
    valid, cols, rows = positions(source, target)
    found = {
        "valid": int(valid.sum()),
        "index_sum": int(np.flatnonzero(valid).sum()),
        "col_sum": int(cols.sum()),
        "row_sum": int(rows.sum()),
    }
    table.append({"name": name, "source": source, "target": target, **found})
    print(name, found["valid"], "of", valid.size, file=sys.stderr)

print("[\n" + ",\n".join(json.dumps(entry) for entry in table) + "\n]")
