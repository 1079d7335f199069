"""A series at a point and yearly means of a Zarr cube with xarray and zarr 3, and the cube itself, as ITS_LIVE's are.

    zarr_cube.py make cube.zarr [times] [side]     version 2, int16 in chunks of 5000 x 10 x 10, Blosc (zlib, level 2, shuffled)
    zarr_cube.py series cube.zarr|http://…         v, vx, vy and v_error at one point
    zarr_cube.py yearly cube.zarr|http://…         means of v by years
    zarr_cube.py serve folder seconds port         a server that waits before each answer, for the same over HTTP

More requests at a time than zarr makes by itself: as many as perilune makes.
"""

import sys

import zarr

zarr.config.set({"async.concurrency": 64})
what, place = sys.argv[1:3]


def make(times, side):
    import numpy as np
    import xarray as xr
    from numcodecs import Blosc

    rng = np.random.default_rng(1)
    days = np.sort(rng.integers(0, 365 * 24 * 10 * 60, times)) / (24 * 60.0) + 5479
    middle = np.datetime64("1970-01-01") + (days * 86400e9).astype("timedelta64[ns]")
    yy, xx = np.mgrid[0:side, 0:side] / side
    base = 800 * np.exp(-((xx - 0.5) ** 2) / 0.02) * (1 - 0.5 * yy) + 20

    def variable(scale, noise):
        out = np.empty((times, side, side), np.int16)
        for i in range(0, times, 250):
            n = min(250, times - i)
            season = 1 + 0.15 * np.sin(2 * np.pi * days[i : i + n] / 365.25)
            field = base[None] * season[:, None, None] * scale + rng.normal(0, noise, (n, side, side))
            keep = rng.random((n, 1, 1)) < 0.75
            patch = np.kron(rng.random((n, side // 10, side // 10)) < 0.6, np.ones((10, 10))) > 0
            out[i : i + n] = np.where(keep & patch, np.clip(field, -32000, 32000), -32767).astype(np.int16)
        return out

    ds = xr.Dataset(coords={"mid_date": ("mid_date", middle), "y": -2300000.0 - 120 * np.arange(side), "x": -140000.0 + 120 * np.arange(side)})
    coding = {"mid_date": dict(units="days since 1970-01-01", chunks=(200000,), dtype="f8")}
    for name, (scale, noise) in {"v": (1, 15), "vx": (0.8, 12), "vy": (-0.6, 12), "v_error": (0.02, 2)}.items():
        ds[name] = (("mid_date", "y", "x"), variable(scale, noise))
        ds[name].attrs.update(units="meter/year", grid_mapping="mapping", missing_value=np.int16(-32767))
        coding[name] = dict(dtype="i2", compressors=[Blosc(cname="zlib", clevel=2, shuffle=1)], chunks=(5000, 10, 10))
    ds["mapping"] = ((), 0)
    ds["mapping"].attrs.update(spatial_epsg=3031)
    ds.to_zarr(place, zarr_format=2, consolidated=True, encoding=coding, mode="w")


def series():
    import xarray as xr

    at = xr.open_zarr(place, chunks=None)[["v", "vx", "vy", "v_error"]].isel(x=85, y=75).load()
    for name in ("v", "vx", "vy", "v_error"):
        valid = at[name].values
        valid = valid[valid == valid]
        print(name, int(valid.sum()), len(valid))


def yearly():
    import xarray as xr

    means = xr.open_zarr(place)["v"].groupby("mid_date.year").mean().load().values
    valid = means[means == means]
    print(f"{len(means)} maps, mean {valid.astype('f8').mean():.4f} of {len(valid)}")


def serve(seconds, port):
    import asyncio
    import os

    from aiohttp import web

    async def answer(request):
        await asyncio.sleep(seconds)
        path = os.path.join(place, request.match_info["path"])
        return web.FileResponse(path) if os.path.isfile(path) else web.Response(status=404)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    web.run_app(app, host="127.0.0.1", port=port, print=lambda _: print("ready", flush=True))


if what == "make":
    make(*map(int, sys.argv[3:5] or (4000, 160)))
elif what == "series":
    series()
elif what == "yearly":
    yearly()
else:
    serve(float(sys.argv[3]), int(sys.argv[4]))
