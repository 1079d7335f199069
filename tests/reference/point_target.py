"""A point target of isce3's test data, measured with numpy's FFT; and its pixels as complex64, which GDAL reads.

point_target.py FILE.h5 OUT.h5    writes the image to OUT.h5 as /slc and prints one line of JSON

The image is stored as pairs of 16-bit floats, which HDF5 itself widens. The chip of 64 × 64 pixels around the brightest one is
padded with zeros in frequency (numpy.fft, 64 times), around the centroid of its spectrum.
"""
import json
import sys

import h5py
import numpy as np

PATH = "science/LSAR/SLC/swaths/frequencyA/HH"
FACTOR = 64


def read(path):
    with h5py.File(path, "r") as f:
        swath = f["science/LSAR/SLC/swaths/frequencyA"]
        dataset = h5py.h5d.open(f.id, PATH.encode())
        rows, cols = dataset.shape
        out = np.zeros((rows, cols), np.complex64)
        dataset.read(h5py.h5s.ALL, h5py.h5s.ALL, out)
        bandwidth = swath["processedRangeBandwidth"][()]
        spacing = swath["slantRangeSpacing"][()]
    return out, bandwidth, spacing


def widths(power, peak):
    """Width at half power by linear interpolation, in samples."""
    total = 0.0
    for step in (1, -1):
        i = peak
        while power[i] >= power[peak] / 2:
            i += step
        inside, outside = power[i - step], power[i]
        total += abs(i - step - peak) + (inside - power[peak] / 2) / (inside - outside)
    return total


def sidelobe(power, peak, width):
    """Largest power beyond the first nulls within ten widths, dB."""
    worst = 0.0
    for step in (1, -1):
        i = peak
        while power[i + step] < power[i]:
            i += step
        stop = peak + step * round(10 * width)
        while 0 <= i < len(power) and i != stop:
            worst = max(worst, power[i])
            i += step
    return 10 * np.log10(worst / power[peak])


image, bandwidth, spacing = read(sys.argv[1])
row, col = np.unravel_index(np.argmax(np.abs(image)), image.shape)
n = 64
chip = image[row - n // 2:row + n // 2, col - n // 2:col + n // 2].astype(np.complex128)
fy = np.angle(np.sum(chip[1:] * chip[:-1].conj())) / (2 * np.pi)
fx = np.angle(np.sum(chip[:, 1:] * chip[:, :-1].conj())) / (2 * np.pi)
y, x = np.mgrid[0:n, 0:n]
chip *= np.exp(-2j * np.pi * (fy * y + fx * x))
spectrum = np.fft.fftshift(np.fft.fft2(chip))
large = np.zeros((n * FACTOR, n * FACTOR), complex)
start = n * FACTOR // 2 - n // 2
large[start:start + n, start:start + n] = spectrum
fine = np.fft.ifft2(np.fft.ifftshift(large)) * FACTOR**2
power = np.abs(fine) ** 2
py, px = np.unravel_index(np.argmax(power), power.shape)
across, down = power[py], power[:, px]
wx, wy = widths(across, px), widths(down, py)
print(json.dumps({
    "rows": image.shape[0], "cols": image.shape[1], "row": int(row), "col": int(col),
    "x": col - n // 2 + px / FACTOR, "y": row - n // 2 + py / FACTOR, "width_x": wx / FACTOR, "width_y": wy / FACTOR,
    "pslr_x_db": sidelobe(across, px, wx), "pslr_y_db": sidelobe(down, py, wy), "amplitude": float(np.sqrt(power[py, px])),
    "range_bandwidth": float(bandwidth), "range_spacing": float(spacing),
}))
with h5py.File(sys.argv[2], "w") as f:
    f["slc"] = image
