"""Polygons of a class image with rasterio, all of them kept as it yields them.

polygons.py IMAGE.tif [OUT.csv]: with OUT the class and the area in pixels of each, sorted.
"""

import sys

import rasterio
from rasterio import features

with rasterio.open(sys.argv[1]) as source:
    polygons = list(features.shapes(source.read(1), transform=source.transform))
    pixel = abs(source.transform.determinant)


def area(ring):
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(ring, ring[1:])) / 2


if len(sys.argv) > 2:
    rows = [(int(v), round(abs(sum(area(r) for r in shape["coordinates"])) / pixel)) for shape, v in polygons]
    with open(sys.argv[2], "w") as out:
        print("class,pixels", file=out)
        for row in sorted(rows):
            print(*row, sep=",", file=out)
