"""200 granules of one real granule: as many dates, and vx and vy a little larger from one to the next.

itslive_granules.py GRANULE.nc FOLDER [COUNT]
"""

import datetime
import shutil
import sys
from pathlib import Path

import netCDF4
import numpy as np

source, folder = Path(sys.argv[1]), Path(sys.argv[2])
count = int(sys.argv[3]) if len(sys.argv) > 3 else 200
folder.mkdir(exist_ok=True)
for i in range(count):
    first = datetime.date(2000, 1, 10) + datetime.timedelta(days=18 * i)
    last = first + datetime.timedelta(days=14)
    old, new = (f"{d:%Y%m%d}" for d in (first, last))
    path = folder / (
        f"LE07_L1GT_001113_{new}_20161127_01_T2_X_LE07_L1GT_232113_{old}_20161127_01_T2_G0240V01_P059.nc"
    )
    shutil.copy(source, path)
    with netCDF4.Dataset(path, "a") as data:
        data.set_auto_maskandscale(False)
        pair = data["img_pair_info"]
        pair.aquisition_date_img1, pair.aquisition_date_img2 = new, old
        for name in ("vx", "vy"):
            values = data[name][:]
            data[name][:] = np.where(values == -32767, values, values + i)
