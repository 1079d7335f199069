"""A stack of 100 STAC items of COGs on a server of this machine: median over 2048².

    items.py make FOLDER PERILUNE      writes the COGs
    items.py serve FOLDER [SECONDS]    serves them by ranges, each answer so much later, and prints its address; on `count` tells what was asked since
    items.py odc|stackstac ADDRESS TARGET
"""

import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COUNT, SIDE = int(os.environ.get("BENCH_ITEMS", 100)), 2400
WINDOW = (500000 + 1600, 5000000 - 1600 - 20480, 500000 + 1600 + 20480, 5000000 - 1600)


def make(folder, perilune):
    import subprocess

    folder.mkdir(parents=True, exist_ok=True)
    code = (f'local r = require "raster"; local g = r.grid {{ crs = 32633, origin = {{ 500000, 5000000 }}, resolution = 10, rows = {SIDE}, cols = {SIDE} }}; '
            'local base = r.random(g, { distribution = "smooth", scale = 200, octaves = 6 }) * 3000; '
            f'for i = 1, {COUNT} do local noise = r.random(g, {{ seed = i }}); '
            '(base + noise * 300 + 100):mask(noise:gt(0.02)):rename("red"):write(("red_%03d.tif"):format(i), { format = "COG", dtype = "uint16", nodata = 0 }) end')
    subprocess.run([perilune, "-e", code], cwd=folder, check=True)


def items(folder, address):
    ring = [[14.999, 44.9], [15.31, 44.9], [15.31, 45.16], [14.999, 45.16], [14.999, 44.9]]
    asset = {"type": "image/tiff; application=geotiff; profile=cloud-optimized", "roles": ["data"],
             "raster:bands": [{"data_type": "uint16", "nodata": 0}]}
    one = {"type": "Feature", "stac_version": "1.0.0", "stac_extensions": ["https://stac-extensions.github.io/projection/v1.1.0/schema.json"],
           "collection": "bench", "links": [], "bbox": [14.999, 44.9, 15.31, 45.16], "geometry": {"type": "Polygon", "coordinates": [ring]}}
    grid = {"proj:epsg": 32633, "proj:shape": [SIDE, SIDE], "proj:transform": [10, 0, 500000, 0, -10, 5000000]}
    day = 86400
    made = [{**one, "id": f"{i:03}", "assets": {"red": {**asset, "href": f"{address}/red_{i:03}.tif"}},
             "properties": {"datetime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1704067200 + 3 * day * i)), **grid}} for i in range(1, COUNT + 1)]
    (folder / "items.json").write_text(json.dumps({"type": "FeatureCollection", "features": made}))


def serve(folder, delay):
    asked = {"requests": 0, "bytes": 0}
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, body):
            time.sleep(delay)
            path = folder / self.path.lstrip("/")
            if not path.is_file():
                with lock:
                    asked["requests"] += 1
                self.send_response(404)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            size = path.stat().st_size
            start, stop, status = 0, size, 200
            if wanted := self.headers.get("Range"):
                first, last = wanted.removeprefix("bytes=").split("-")
                start, stop = (size - int(last), size) if not first else (int(first), min(int(last) + 1, size) if last else size)
                status = 206
            with lock:
                asked["requests"] += 1
                asked["bytes"] += (stop - start) if body else 0
            self.send_response(status)
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(stop - start))
            self.send_header("ETag", f'"{path.name}"')
            if status == 206:
                self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size}")
            self.end_headers()
            if body:
                with path.open("rb") as file:
                    file.seek(start)
                    self.wfile.write(file.read(stop - start))

        def do_GET(self):
            self.answer(True)

        def do_HEAD(self):
            self.answer(False)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    items(folder, address)
    print(address, flush=True)
    for line in sys.stdin:
        with lock:
            print(json.dumps(asked), flush=True)
            asked.update(requests=0, bytes=0)


def load(how, folder, target):
    import numpy as np
    import pystac
    import rasterio

    found = [pystac.Item.from_dict(item) for item in json.loads((folder / "items.json").read_text())["features"]]
    west, south, east, north = WINDOW
    if how == "odc":
        import odc.stac
        from odc.geo.geobox import GeoBox

        box = GeoBox.from_bbox(WINDOW, crs="EPSG:32633", resolution=10)
        cube = odc.stac.load(found, bands=["red"], geobox=box, chunks={"x": 512, "y": 512})["red"]
        cube = cube.where(cube != 0)
    else:
        import stackstac

        cube = stackstac.stack(found, assets=["red"], epsg=32633, resolution=10, bounds=WINDOW, snap_bounds=False, chunksize=512,
                               dtype="float64" if how == "stackstac64" else "float32", fill_value=np.float32("nan"), rescale=False).isel(band=0)
        cube = cube.where(cube != 0)
    median = cube.astype("float32").chunk({"time": -1}).median("time", skipna=True).compute(num_workers=2).values
    profile = {"driver": "GTiff", "height": 2048, "width": 2048, "count": 1, "dtype": "float32", "crs": "EPSG:32633",
               "transform": rasterio.transform.from_origin(west, north, 10, 10)}
    with rasterio.open(target, "w", **profile) as file:
        file.write(median, 1)


if __name__ == "__main__":
    what, folder = sys.argv[1], Path(sys.argv[2])
    if what == "make":
        make(folder, sys.argv[3])
    elif what == "serve":
        serve(folder, float(sys.argv[3]) if len(sys.argv) > 3 else 0.0)
    else:
        load(what, folder, sys.argv[3])
