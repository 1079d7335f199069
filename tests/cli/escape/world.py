"""A place to escape from: `world.py FOLDER CANARY` makes logins, folders beside the working folder, and links of every kind in it."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import zipfile

around, canary = sys.argv[1:]
work, login, kept = f"{around}/work", f"{around}/home/.netrc", f"{around}/kept"


def write(path, text):
    os.makedirs(os.path.dirname(f"{around}/{path}"), exist_ok=True)
    with open(f"{around}/{path}", "w") as file:
        file.write(text)


def link(to, name):
    os.makedirs(os.path.dirname(f"{work}/{name}"), exist_ok=True)
    os.symlink(to, f"{work}/{name}")


write("home/.netrc", f"machine a login b password {canary}\n")
# A folder that scripts may write in holds logins too.
write("open/.netrc", f"machine c login d password {canary}\n")
for name in ["home", "open"]:
    os.chmod(f"{around}/{name}/.netrc", 0o600)
os.makedirs(f"{work}/here")
write("kept/here.txt", "kept")
write("kept/code.lua", f"secret = = '{canary}'\n")
write("work/notes.lua", f"a line that is no Lua: {canary}\n")
os.link(login, f"{work}/hard.bin")
os.link(login, f"{work}/hard.lua")
os.link(f"{around}/open/.netrc", f"{around}/open/hard")
os.symlink(kept, f"{around}/open/linked")

# Links to a login under names that readers look for beside a file.
for name in "link.bin link.csv link.lua scene scene.img scene.gri beside.csvt beside.prj beside.tfw beside.tif.ovr beside.tif.msk array.zarr/0.0 group.zarr/v/0.0".split():
    link(login, name)
write("work/group.zarr/.zgroup", '{"zarr_format": 2}')
write(
    "work/group.zarr/v/.zarray",
    '{"zarr_format": 2, "shape": [1, 40], "chunks": [1, 40], "dtype": "|u1", "compressor": null, "fill_value": 0, "order": "C", "filters": null}',
)
link(f"{around}/home", "folder")
link(kept, "out")
link(f"{kept}/code.lua", "outside.lua")
link("/proc/self/environ", "environ.bin")
for name in ["pipe", "pipe.tif", "pipe.lua"]:
    os.mkfifo(f"{work}/{name}")

# Links that lead out, under every ending that is written.
endings = (
    "tif png jp2 nc cog.tif all.tif tags.tif cube.nc h5 features.geojson features.gpkg features.shp features.kml features.gml features.fgb "
    "features.geojsonl rows.csv figure.png figure.svg json snapshot txt log copy moved folder unpacked download"
)
for ending in endings.split():
    link(f"{kept}/new.{ending}", f"dangling.{ending}")
    link(f"{kept}/here.txt", f"named.{ending}")
for name in ["a.txt", "to", ".netrc", ".perilune"]:
    link(kept, f"through/{name}")
link(kept, "linked_state/.perilune")
link(kept, "linked_parts/.perilune/parts")
link(f"{kept}/new.txt", "linked_lock/.perilune/lock")
link(f"{kept}/new.txt", "linked_ledger/.perilune/downloads.jsonl")

archives = {"up": "../kept/new.txt", "absolute": f"{kept}/new.txt", "logins": ".netrc", "own": ".perilune/lock", "plain": "a.txt"}
for archive, member in archives.items():
    with zipfile.ZipFile(f"{work}/{archive}.zip", "w") as file:
        file.writestr(member, "x")
with zipfile.ZipFile(f"{work}/links.zip", "w") as file:
    entry = zipfile.ZipInfo("to")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    file.writestr(entry, kept)
    file.writestr("to/new.txt", "x")
shutil.copy(f"{work}/plain.zip", f"{kept}/plain.zip")

# A shared object that leaves a mark where it is loaded.
write(
    "work/evil.c",
    f'#include <fcntl.h>\n__attribute__((constructor)) static void mark(void) {{ open("{work}/loaded", O_CREAT | O_WRONLY, 0600); }}\n',
)
subprocess.run(["cc", "-shared", "-fPIC", "-o", f"{work}/evil.so", f"{work}/evil.c"], check=True)

# A GeoPackage with tables that a library of SQLite's is to read from elsewhere.
tables = {
    "text": f"VIRTUAL TABLE \"text\" USING VirtualText('{login}', UTF-8, 0, COMMA, DOUBLEQUOTE, ',')",
    "json": f"VIRTUAL TABLE json USING VirtualGeoJSON('{login}')",
    "shape": f"VIRTUAL TABLE shape USING VirtualShape('{login}', UTF-8, 4326)",
    "dbf": f"VIRTUAL TABLE dbf USING VirtualDbf('{login}', UTF-8)",
    "ogr": f"VIRTUAL TABLE ogr USING VirtualOGR('CSV:{login}')",
    "seen": f"VIEW seen AS SELECT load_extension('{work}/evil.so') AS v",
}
base = sqlite3.connect(f"{work}/virtual.gpkg")
base.execute("PRAGMA application_id = 1196444487")
base.execute("PRAGMA user_version = 10200")
base.execute("CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT, srs_id INTEGER, organization TEXT, organization_coordsys_id INTEGER, definition TEXT)")
base.execute("CREATE TABLE gpkg_contents (table_name TEXT, data_type TEXT, identifier TEXT, description TEXT, last_change TEXT, min_x, min_y, max_x, max_y, srs_id)")
base.execute("CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT, geometry_type_name TEXT, srs_id INTEGER, z, m)")
base.execute("PRAGMA writable_schema = ON")
for name, definition in tables.items():
    kind = "view" if definition.startswith("VIEW") else "table"
    base.execute("INSERT INTO sqlite_master (type, name, tbl_name, rootpage, sql) VALUES (?, ?, ?, 0, ?)", (kind, name, name, f"CREATE {definition}"))
    base.execute("INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES (?, 'attributes', ?)", (name, name))
base.commit()
