"""A GeoTIFF as a netCDF-4 file of deflated chunks, as it is usually done.

netcdf.py xarray|rasterio IMAGE OUT.nc
"""

import sys

how, image, out = sys.argv[1:]
if how == "xarray":
    import numpy as np
    import rioxarray

    data = rioxarray.open_rasterio(image).squeeze("band", drop=True).rename("v")
    data.attrs = {}
    encoding = {"v": {"zlib": True, "complevel": 2, "chunksizes": (512, 512), "_FillValue": np.nan}}
    data.to_dataset().to_netcdf(out, encoding=encoding)
else:
    import rasterio.shutil

    rasterio.shutil.copy(image, out, driver="netCDF", FORMAT="NC4", COMPRESS="DEFLATE", ZLEVEL=2)
