"""Values of many images at the same points with rasterio: series.py OUT.txt X,Y… FILE…"""

import sys

import rasterio

points = [tuple(map(float, a.split(","))) for a in sys.argv[2:] if "," in a]
files = sorted(a for a in sys.argv[2:] if "," not in a)
with open(sys.argv[1], "w") as out:
    for name in files:
        with rasterio.open(name) as source:
            for values in source.sample(points):
                print(values[0], file=out)
