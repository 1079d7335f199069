"""Writes tests/fixtures/stac: a few items as JSON and, by stac-geoparquet 0.8.3 (and pyarrow), as Parquet.

    python tests/reference/geoparquet_items.py
"""

import json
from pathlib import Path

import stac_geoparquet.arrow as sga

FOLDER = Path(__file__).parent.parent / "fixtures/stac"


def item(i):
    x, y = -10 + 3.25 * i, 40.5 + i
    ring = [[x, y], [x + 1, y], [x + 1, y + 1], [x, y + 1], [x, y]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {
        "type": "Feature", "stac_version": "1.0.0", "stac_extensions": ["https://stac-extensions.github.io/eo/v1.1.0/schema.json"],
        "id": f"scene-{i}", "collection": "scenes", "geometry": geometry, "bbox": [x, y, x + 1, y + 1],
        "properties": {"datetime": f"2021-03-0{i + 1}T10:20:30.500000Z", "eo:cloud_cover": 12.5 * i, "platform": "sentinel-2a",
                       "proj:shape": [10980, 10980]},
        "links": [], "assets": {"visual": {"href": f"https://data.example/{i}/visual.tif", "type": "image/tiff", "roles": ["visual"]}},
    }


if __name__ == "__main__":
    items = [item(i) for i in range(5)]
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "items.json").write_text(json.dumps({"type": "FeatureCollection", "features": items}, indent=1) + "\n")
    sga.to_parquet(sga.parse_stac_items_to_arrow(items), FOLDER / "items.parquet")
