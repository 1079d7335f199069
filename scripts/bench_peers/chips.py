"""The chips that `chips.lua --what data` wrote, one epoch as the notebooks of dl-with-alos-dswe read them: every band from its file, denoised chip by chip."""

import csv
import random
import resource

import numpy as np
import rasterio
from skimage.restoration import denoise_tv_bregman

rows = list(csv.DictReader(open("chips/training_data.csv")))


def read(path):
    with rasterio.open(f"chips/{path}") as source:
        return source.read(1)


for chip in rows:
    bands = [denoise_tv_bregman(10 * np.log10(np.clip(read(chip[band]), 1e-5, 1)), weight=0.35) for band in ("hh", "hv")]
    image, labels = np.stack(bands, axis=-1).astype(np.float32), read(chip["labels"])
    turns = random.randrange(4)
    image, labels = np.rot90(image, turns), np.rot90(labels, turns)
    image = np.ascontiguousarray(image.transpose(2, 0, 1))
used = resource.getrusage(resource.RUSAGE_SELF)
print(f"{len(rows)} chips, {used.ru_utime + used.ru_stime:.2f} s CPU with Python's start")
