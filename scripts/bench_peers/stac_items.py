"""The items of the case `stac`: like those of an optical mission, 12 assets and 30 properties each, some 8 kB."""

import json
import math
import subprocess

QUERYABLES = {"$schema": "https://json-schema.org/draft/2019-09/schema", "type": "object", "properties": {"eo:cloud_cover": {"type": "number"}}}
BANDS = ["coastal", "blue", "green", "red", "nir08", "swir16", "swir22", "lwir11", "qa_pixel", "qa_radsat", "mtl.json", "thumbnail"]


def item(i):
    x, y = -170 + (i * 37 % 3400) / 10, -60 + (i * 53 % 1200) / 10
    ring = [[x + 1.8 * math.cos(a), y + 1.2 * math.sin(a)] for a in (0.2, 1.8, 3.3, 4.9)]
    place = {"centroid": {"lat": y, "lon": x}, "proj:epsg": 32600 + i % 60, "proj:shape": [7751, 7641],
             "proj:transform": [30.0, 0.0, 339885.0, 0.0, -30.0, 4265115.0]}
    properties = {f"landsat:number_{n}": round(i * 0.37 + n, 3) for n in range(14)} | place | {
        "datetime": f"20{10 + i % 12}-{1 + i % 11:02}-{1 + i % 28:02}T18:{i % 60:02}:31.{i % 999:03}Z",
        "eo:cloud_cover": i * 7919 % 10000 / 100, "platform": "landsat-8", "instruments": ["oli", "tirs"], "gsd": 30,
        "view:off_nadir": 0, "view:sun_azimuth": 140.5, "view:sun_elevation": 51.25, "created": "2022-05-06T17:15:57.000Z",
        "description": "Landsat Collection 2 Level-2 surface reflectance and surface temperature", "sci:doi": "10.5066/P9OGBGM6"}
    asset = lambda band: {
        "href": f"https://archive.example/landsat-c2/level-2/standard/oli-tirs/2020/042/034/LC08_{i:06}/LC08_{i:06}_{band}.TIF",
        "type": "image/tiff; application=geotiff; profile=cloud-optimized", "title": f"Band {band}", "roles": ["data"],
        "eo:bands": [{"name": band, "common_name": band, "center_wavelength": 0.56}], "file:size": 60000000 + i,
        "file:checksum": f"1340{i:0128x}", "raster:bands": [{"scale": 0.0000275, "nodata": 0, "offset": -0.2, "data_type": "uint16"}]}
    return {
        "type": "Feature", "stac_version": "1.0.0", "id": f"LC08_{i:06}", "collection": "landsat", "links": [],
        "stac_extensions": ["https://stac-extensions.github.io/eo/v1.0.0/schema.json", "https://landsat.usgs.gov/stac/landsat-extension/v1.1.1/schema.json"],
        "geometry": {"type": "Polygon", "coordinates": [ring + ring[:1]]}, "bbox": [x - 1.8, y - 1.2, x + 1.8, y + 1.2],
        "properties": properties, "assets": {band: asset(band) for band in BANDS}}


def start(python, serve, folder, count):
    """Starts the service with `count` items; the process, which ends with its input, and its address."""
    folder.mkdir(exist_ok=True)
    collection = {"type": "Collection", "stac_version": "1.0.0", "id": "landsat", "description": "", "license": "other", "links": [],
                  "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [["2010-01-01T00:00:00Z", None]]}}}
    (folder / "collections.ndjson").write_text(json.dumps(collection) + "\n")
    (folder / "queryables.json").write_text(json.dumps(QUERYABLES))
    with open(folder / "items.ndjson", "w") as file:
        file.writelines(json.dumps(item(i)) + "\n" for i in range(count))
    command = [python, serve, folder / "collections.ndjson", folder / "items.ndjson", folder / "queryables.json"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    if not line.startswith("ready "):
        raise SystemExit("the STAC service does not start; run scripts/setup --test")
    return process, line.split()[1]
