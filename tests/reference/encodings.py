"""Makes tests/fixtures/encodings/: how netCDF and HDF5 files store values. Prints what xarray 2025.11 reads of each variable (its
`decode_cf`), and of valid ranges, which xarray leaves alone, what the NetCDF Users' Guide (appendix A) says of them, by numpy.
Needs netCDF4, h5py, numpy, xarray, h5netcdf."""

import pathlib

import h5py
import netCDF4
import numpy as np
import xarray as xr

folder = pathlib.Path(__file__).parent.parent / "fixtures" / "encodings"
folder.mkdir(exist_ok=True)
numbers = np.array([[0, 1, -1], [-2, -3, 100]])


def netcdf(name, format, upward):
    with netCDF4.Dataset(folder / name, "w", format=format) as n:
        for dimension, size in (("y", 2), ("x", 3)):
            n.createDimension(dimension, size)
            c = n.createVariable(dimension, "f8", (dimension,))
            c.standard_name, c.units = f"projection_{dimension}_coordinate", "m"
            c[:] = np.arange(size) * 10.0 if upward or dimension == "x" else -np.arange(size) * 10.0

        def variable(name, kind, fill=None, **attributes):
            v = n.createVariable(name, kind, ("y", "x"), fill_value=fill)
            v.setncatts(attributes)
            v[:] = numbers.astype(kind)

        for kind in ("i1", "i2", "i4"):
            variable(f"unsigned_{kind}", kind, -1, _Unsigned="true")
        variable("signed_i1", "i1")
        variable("both", "i2", -1, missing_value=np.array([-2, -3], "i2"))
        variable("unpacked", "i2", -1, scale_factor=0.01, valid_range=np.array([0, 1], "f4"))
        variable("packed", "i2", -1, scale_factor=0.01, valid_range=np.array([0, 1], "i2"))
        variable("least", "f4", valid_min=np.float32(0))
        if format == "NETCDF4":
            variable("signed_u1", "u1", _Unsigned="false")
            variable("unsigned_range", "i1", _Unsigned="true", valid_range=np.array([0, -3], "i1"))
            variable("large", "i8", -1)


netcdf("north_up.nc", "NETCDF4", False)
netcdf("south_up.nc", "NETCDF4", True)
netcdf("classic.nc", "NETCDF3_CLASSIC", False)

with h5py.File(folder / "fill.h5", "w") as f:
    for kind in ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"):
        top = np.finfo(kind).max if kind[0] == "f" else np.iinfo(kind).max
        d = f.create_dataset(f"data/{kind}", data=np.array([[0, 1], [top, 3]], kind))
        d.attrs["_FillValue"] = np.array(top, kind)
        d.attrs["data_units"] = "not the unit"
        m = f.create_dataset(f"data/{kind}_missing", data=np.array([[0, 1], [top, 3]], kind))
        m.attrs["missing_value"] = np.array(top, kind)

for name in ("north_up.nc", "south_up.nc", "classic.nc"):
    with xr.open_dataset(folder / name) as d:
        for v in d.data_vars:
            print(name, v, d[v].values.tolist())
with xr.open_dataset(folder / "fill.h5", engine="h5netcdf", group="data", phony_dims="sort") as d:
    for v in d.data_vars:
        print(v, int(d[v].count()), float(d[v].max()))
