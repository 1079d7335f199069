"""Makes the Zarrs of tests/fixtures/zarr and what xarray reads of them, without perilune.

    pip install zarr==2.18.7 xarray==2024.7.0 "numpy<2.1" numcodecs==0.15.2    (in one environment, venv2)
    pip install zarr==3.1.6 xarray==2026.9.0                                   (in another one, venv3)
    cd tests/fixtures/zarr && venv2/bin/python ../../reference/zarrs.py 2 && venv3/bin/python ../../reference/zarrs.py 3

Version 2: `codecs.zarr` has one variable for each codec, in chunks of which one was never written, with fill_value null and missing_value
as ITS_LIVE's cubes have them, chunks larger than their arrays, text that nobody asks for, and a grid mapping that says an EPSG code;
`plain.zarr` has no consolidated metadata, `/` in the names of its chunks, a group, big-endian and Fortran-ordered arrays, rows that run north and a
calendar. Version 3: `sharded.zarr` has shards of zstd chunks with checksums, times as numpy's datetime64, and no consolidated metadata; `xarray.zarr` is
what `Dataset.to_zarr` writes. `expected2.csv` and `expected3.csv` have a row for each variable and step, with the values that xarray reads, row 0 in the
north.
"""

import shutil
import sys
import warnings

import numpy as np
import xarray as xr
import zarr

warnings.simplefilter("ignore")
version = int(sys.argv[1])
T, Y, X = 6, 7, 10
rng = np.random.default_rng(11)
values = rng.integers(-300, 300, (T, Y, X)).astype("i2")
values[rng.random((T, Y, X)) < 0.2] = -32767
days = np.array([18262.25, 18274.5, 18286.125, 18310.0, 18600.75, 18700.0])
x = -140000.0 + 120 * np.arange(X)
y = -2300000.0 - 120 * np.arange(Y)


def attributes(array, **more):
    array.attrs.update(more)
    return array


def store(path):
    shutil.rmtree(path, ignore_errors=True)
    return path


def expected(path, names, **options):
    ds = xr.open_zarr(path, **options)
    lines = []
    for name in names:
        data = ds[name]
        data = data.sortby("y", ascending=False)
        time = [d for d in data.dims if d not in ("y", "x")][0]
        label = (options.get("group", "") + "/" + name).strip("/")
        for i in range(data.sizes[time]):
            step = data.isel({time: i}).transpose("y", "x")
            when = str(data[time].values[i])[:19]
            numbers = " ".join("nan" if np.isnan(v) else repr(float(v)) for v in np.asarray(step).ravel().astype("f8"))
            lines.append(f"{path},{label},{i + 1},{when},{numbers}\n")
    return lines


if version == 2:
    from numcodecs import LZ4, Blosc, Delta, GZip, Shuffle, Zlib, Zstd

    lines = []
    g = zarr.open_group(store("codecs.zarr"), mode="w")
    codecs = {
        "blosc_zlib": Blosc("zlib", 2, Blosc.SHUFFLE),
        "blosc_lz4": Blosc("lz4", 5, Blosc.BITSHUFFLE),
        "blosc_zstd": Blosc("zstd", 3, Blosc.NOSHUFFLE),
        "blosc_blosclz": Blosc("blosclz", 5, Blosc.SHUFFLE),
        "zlib": Zlib(1),
        "gzip": GZip(1),
        "zstd": Zstd(1),
        "lz4": LZ4(),
        "none": None,
    }
    for name, codec in codecs.items():
        a = g.create_dataset(name, shape=(T, Y, X), chunks=(4, 3, 4), dtype="<i2", compressor=codec, fill_value=None, overwrite=True)
        a[:] = values
        attributes(a, _ARRAY_DIMENSIONS=["mid_date", "y", "x"], missing_value=-32767, units="meter/year", grid_mapping="mapping")
    # Never written: rows 3 to 5, columns 4 to 7 of the first four steps.
    import os

    os.remove("codecs.zarr/blosc_zlib/0.1.1")
    a = g.create_dataset("filtered", shape=(T, Y, X), chunks=(6, 7, 10), dtype="<i2", compressor=Zlib(1), filters=[Delta("<i2"), Shuffle(2)], fill_value=-32767)
    a[:] = values
    attributes(a, _ARRAY_DIMENSIONS=["mid_date", "y", "x"], scale_factor=0.5, add_offset=10.0, grid_mapping="mapping")
    for name, data, chunk in (("mid_date", days, 200000), ("x", x, 200000), ("y", y, 3)):
        a = g.create_dataset(name, data=data, chunks=(chunk,), compressor=Blosc("zlib", 2), fill_value=None)
        attributes(a, _ARRAY_DIMENSIONS=[name])
    g["mid_date"].attrs.update(units="days since 1970-01-01", calendar="proleptic_gregorian")
    a = g.create_dataset("granule_url", data=np.array([f"https://host/{i}.nc" for i in range(T)], dtype="<U64"), chunks=(200000,))
    attributes(a, _ARRAY_DIMENSIONS=["mid_date"])
    a = g.create_dataset("mapping", shape=(), dtype="<U1", fill_value=None)
    attributes(a, _ARRAY_DIMENSIONS=[], spatial_epsg=3031, grid_mapping_name="polar_stereographic")
    g.attrs.update(title="made by tests/reference/zarrs.py")
    zarr.consolidate_metadata("codecs.zarr")
    os.remove("codecs.zarr/granule_url/0")
    # A missing chunk without a fill value is anything to xarray, which gives zeros: masked here, so that it is masked there, too.
    found = expected("codecs.zarr", list(codecs) + ["filtered"], mask_and_scale=True)
    hole = values.copy()
    hole[:4, 3:6, 4:8] = -32767
    for i, line in enumerate(found):
        if line.startswith("codecs.zarr,blosc_zlib,"):
            head = line.split(",")[:4]
            numbers = ["nan" if v == -32767 else repr(float(v)) for v in hole[int(head[2]) - 1].ravel()]
            found[i] = ",".join(head + [" ".join(numbers)]) + "\n"
    lines += found

    g = zarr.open_group(zarr.NestedDirectoryStore(store("plain.zarr")), mode="w")
    inner = g.create_group("inner")
    up = y[::-1]
    for name, dtype, order in (("big", ">i4", "C"), ("fortran", "<f4", "F"), ("half", "<f2", "C"), ("wide", "<i8", "C")):
        a = inner.create_dataset(name, shape=(T, Y, X), chunks=(2, 4, 10), dtype=dtype, order=order, compressor=Zlib(1), fill_value=-32767)
        a[:4] = values[:4, ::-1]
        attributes(a, _ARRAY_DIMENSIONS=["time", "y", "x"])
    for name, data in (("time", np.arange(T) * 30), ("x", x), ("y", up)):
        a = inner.create_dataset(name, data=data, chunks=(4,), compressor=None)
        attributes(a, _ARRAY_DIMENSIONS=[name])
    inner["time"].attrs.update(units="days since 2001-01-01", calendar="noleap")
    lines += expected("plain.zarr", ["big", "fortran", "half", "wide"], group="inner", consolidated=False, decode_times=False)
    open("expected2.csv", "w").writelines(["zarr,variable,step,time,numbers\n"] + lines)
else:
    lines = []
    g = zarr.open_group(store("sharded.zarr"), mode="w", zarr_format=3)
    made = {
        "zstd": dict(compressors=[zarr.codecs.ZstdCodec(level=3)]),
        "blosc": dict(compressors=[zarr.codecs.BloscCodec(cname="zstd", clevel=3, shuffle="bitshuffle")]),
        "summed": dict(compressors=[zarr.codecs.GzipCodec(level=1), zarr.codecs.Crc32cCodec()]),
        "turned": dict(filters=[zarr.codecs.TransposeCodec(order=(2, 0, 1))], compressors=None, serializer=zarr.codecs.BytesCodec(endian="big")),
    }
    for name, more in made.items():
        a = g.create_array(name, shape=(T, Y, X), chunks=(2, 2, 4), shards=(4, 4, 8), dtype="i2", fill_value=7, dimension_names=["t", "y", "x"], **more)
        a[:5] = values[:5]
        a.attrs.update(_FillValue=-32767, scale_factor=0.25)
    a = g.create_array("at_start", shape=(T, Y, X), chunks=(6, 7, 10), dtype="f4", fill_value=np.nan, dimension_names=["t", "y", "x"],
        serializer=zarr.codecs.ShardingCodec(chunk_shape=(3, 7, 5), codecs=[zarr.codecs.BytesCodec()], index_location="start"), compressors=None)
    a[:] = values / 8
    times = np.datetime64("2020-01-01", "s") + (np.arange(T) * 86400 * 12 + 3600).astype("m8[s]")
    for name, data in (("t", times), ("x", x), ("y", y)):
        g.create_array(name, data=data, chunks=(4,), dimension_names=[name])
    lines += expected("sharded.zarr", list(made) + ["at_start"], consolidated=False)

    ds = xr.Dataset(coords={"time": times.astype("M8[ns]"), "y": y, "x": x})
    ds["v"] = (("time", "y", "x"), np.where(values == -32767, np.nan, values / 4).astype("f4"))
    ds["n"] = (("time", "y", "x"), values)
    ds["v"].attrs.update(units="m", grid_mapping="crs")
    ds["crs"] = ((), 0)
    ds["crs"].attrs.update(spatial_epsg=3413)
    ds.to_zarr(store("xarray.zarr"), zarr_format=3, consolidated=True, encoding={"v": {"chunks": (5, 4, 5)}, "n": {"_FillValue": -32767, "dtype": "i2"}})
    lines += expected("xarray.zarr", ["v", "n"])
    open("expected3.csv", "w").writelines(["zarr,variable,step,time,numbers\n"] + lines)
