"""The most memory that a process holds, beside what it may: every case at every ceiling, in a process of its own.

    python peaks.py PERILUNE DATA [CASE…] [CEILING…]        (as scripts/peaks runs it)

The peak is the largest resident set as the kernel accounts it: heap, stacks, and the pages of the program, its libraries and mapped
files that are in memory; pages of the file cache that no process has mapped are nobody's and do not count. The table is for
docs/benchmarks.md. Ends with an error where a case holds more than the floor and the ceiling.
"""

import subprocess
import sys
from pathlib import Path

import stac_items
from run import DATA, HERE, PERILUNE, circles, measured

# What README states that the program itself takes.
FLOOR_MIB = 80
CEILINGS = {"128M": 128, "512M": 512, "4G": 4096}

DATES = 'local dates = {{}} for i = 1, {} do dates[i] = r.open(("peaks/date_%02d.tif"):format(i)) end '
DENOISED = DATES + ('for i, image in ipairs(dates) do dates[i] = require("filter").tv_bregman(image:to_db(), {{ weight = 0.35 }}) end '
                    'r.stack(dates):mean():write("peaks/out.tif", {{ statistics = false }})')
CASES = {
    "12 TV-Bregman scenes of 4096², their mean": DENOISED.format(12),
    "40 TV-Bregman scenes of 4096², their mean": DENOISED.format(40),
    "autoRIFT of 8192²": 'require("correlation").autorift(r.open("peaks/before.tif"), r.open("peaks/after.tif"), { spacing = 16, search = 25 })'
                         ':write("peaks/out.tif", { statistics = false })',
    "median of 96 dates of 4096²": DATES.format(96) + 'r.stack(dates):median():write("peaks/out.tif", { statistics = false })',
    "COG of 16384²": 'r.open("peaks/large.tif"):write("peaks/out.tif", { format = "COG", level = 1 })',
    "plot of 8000²": 'require("plot").map(r.open("peaks/before.tif"):crop({ row = 0, col = 0, rows = 8000, cols = 8000 })):write("peaks/out.png")',
    "zonal statistics of 1,000 polygons": 'r.open("peaks/before.tif"):zonal(require("geometry").read("circles1000.geojson"), '
                                          '{ statistics = { "mean", "std", "median", "p90" } }):write_csv("peaks/out.csv")',
    "10,000 items": 'local items = require("catalog").stac("ADDRESS"):search({ limit = 250 }):all() assert(#items == 10000) '
                    'require("fs").write("peaks/out.txt", table.concat(items:ids(), "\\n"))',
    "percentiles of 16384²": 'print(r.open("peaks/large.tif"):percentile({ 5, 50, 95 }).VV)',
}


def make_data():
    (DATA / "peaks").mkdir(parents=True, exist_ok=True)
    for what, probe in [("dates", "date_96.tif"), ("pair", "after.tif"), ("large", "large.tif")]:
        if not (DATA / "peaks" / probe).exists():
            subprocess.run([PERILUNE, "run", HERE / "peaks.lua", "--folder", "peaks", "--what", what], cwd=DATA, check=True)
    circles(1000)


def served(case, code, ceiling):
    """The service of the items runs while they are wanted."""
    if "ADDRESS" not in code:
        return measured([PERILUNE, "-q", "--memory", ceiling, "-e", 'local r = require "raster" ' + code])
    python = Path(sys.executable).parents[2] / "stac-service/bin/python"
    process, address = stac_items.start(python, HERE.parent / "stac_service/serve.py", DATA / "stac", 10_000)
    try:
        return served(case, code.replace("ADDRESS", address), ceiling)
    finally:
        process.stdin.close()
        process.wait()


def main():
    wanted = sys.argv[3:]
    ceilings = [ceiling for ceiling in CEILINGS if ceiling in wanted] or list(CEILINGS)
    names = [word for word in wanted if word not in CEILINGS]
    make_data()
    print("| case | ceiling | allowed | peak | wall | CPU | |\n|---|---|---|---|---|---|---|", flush=True)
    broken = 0
    for case, code in CASES.items():
        if names and not any(name in case for name in names):
            continue
        for ceiling in ceilings:
            allowed = FLOOR_MIB + CEILINGS[ceiling]
            try:
                cpu, wall, peak = served(case, code, ceiling)
            except SystemExit as failed:
                broken += 1
                print(f"| {case} | {ceiling} | {allowed} MiB | failed: {failed} |", flush=True)
                continue
            broken += peak > allowed
            print(f"| {case} | {ceiling} | {allowed} MiB | {peak:.0f} MiB | {wall:.1f} s | {cpu:.1f} s | {'holds' if peak <= allowed else '**more**'} |",
                  flush=True)
    if broken:
        raise SystemExit(f"{broken} hold more than they may, or failed")


if __name__ == "__main__":
    main()
