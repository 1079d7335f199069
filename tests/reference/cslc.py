"""Writes one CSLC product in each layout with h5py, or reads one that perilune wrote.

cslc.py write FOLDER    FOLDER/released.h5 and FOLDER/2022.h5: pixel (row, col) of VV is row + col·i, in the types and text of the
                        products (layout of OPERA_L2_CSLC-S1 v1.1, and of COMPASS of 2022)
cslc.py read FILE       prints what h5py makes of the file, one line a dataset
"""
import sys

import h5py
import numpy as np

ROWS, COLS = 300, 500


def text(value):
    return np.bytes_(value)


def write(path, data, burst, identification, released):
    rows, cols = np.mgrid[0:ROWS, 0:COLS]
    with h5py.File(path, "w") as f:
        slc = (rows + 1j * cols).astype(np.complex64)
        f.create_dataset(f"{data}/VV", data=slc, chunks=(64, COLS), compression="gzip", shuffle=True)
        f[f"{data}/x_coordinates"] = 400002.5 + 5.0 * np.arange(COLS)
        f[f"{data}/y_coordinates"] = 3859995.0 - 10.0 * np.arange(ROWS)
        f[f"{data}/x_spacing"], f[f"{data}/y_spacing"] = 5.0, -10.0
        f[f"{data}/projection"] = np.int32(32611)
        f[f"{burst}/sensing_start"] = text("2022-08-17 01:52:24.441193")
        f[f"{burst}/sensing_stop"] = text("2022-08-17 01:52:27.541193")
        f[f"{burst}/shape"] = np.array([1508, 24860])
        f[f"{burst}/platform_id"] = text("S1A")
        f[f"{burst}/wavelength"] = 0.05546576
        f[f"{identification}/bounding_polygon"] = text("POLYGON ((-118.1 34.8, -118.0 34.8, -118.0 34.9, -118.1 34.8))")
        f[f"{identification}/orbit_pass_direction"] = text("Ascending")
        f[f"{identification}/track_number"] = 64
        if released:
            f[f"{identification}/burst_id"] = text("t064_135523_iw2")
            f[f"{identification}/look_direction"] = text("Right")
            f[f"{identification}/processing_date_time"] = text("2023-08-17 01:52:27.541193")
        else:
            # Variable-length text, as COMPASS of that time wrote it.
            f[f"{burst}/burst_id"] = "t064_135523_iw2"


def read(path):
    def show(name, item):
        if isinstance(item, h5py.Dataset):
            value = item[()] if item.shape == () else ""
            if item.shape and item.ndim == 2:
                value = f"{item[0, 0]} {item[-1, -1]} sum {item[:].sum():.6f}"
            attributes = {k: v for k, v in item.attrs.items()}
            print(name, item.dtype, item.shape, item.chunks, value, attributes or "")

    with h5py.File(path, "r") as f:
        f.visititems(show)


if sys.argv[1] == "write":
    folder = sys.argv[2]
    burst = "metadata/processing_information/input_burst_metadata"
    write(f"{folder}/released.h5", "data", burst, "identification", True)
    root = "science/SENTINEL1"
    write(f"{folder}/2022.h5", f"{root}/CSLC/grids", f"{root}/CSLC/metadata/processing_information/s1_burst_metadata",
          f"{root}/identification", False)
else:
    read(sys.argv[2])
