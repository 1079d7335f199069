"""Refined Lee in NumPy and SciPy, vectorised over the whole image: the peer that `scripts/bench` compares with.

The definition is the one in the documentation of `filter.refined_lee`: population statistics, masked pixels (NaN)
drop out of every window, x / 0 is 0, the result is masked where one of the nine 3 x 3 samples is.

As a script: refined_lee.py IN OUT, both rasters of one band.
"""

import sys

import numpy as np
from scipy.ndimage import correlate, correlate1d


def divide(a, b):
    return np.divide(a, b, out=np.zeros_like(a), where=b != 0)


def sum3(a):
    # Not uniform_filter: its running sums differ in the last digits between equal windows, and ties are ties here.
    return correlate1d(correlate1d(a, np.ones(3), axis=0, mode="constant"), np.ones(3), axis=1, mode="constant")


def direction_kernels():
    rectangle = np.zeros((7, 7))
    rectangle[3:] = 1
    triangle = np.tril(np.ones((7, 7)))
    kernels = []
    for turn in range(4):
        # rot90 with a negative count turns clockwise.
        kernels += [np.rot90(rectangle, -turn), np.rot90(triangle, -turn)]
    return kernels


def refined_lee(image):
    """`image`: (rows, cols) backscatter as power; NaN is masked. Returns the same shape, float64."""
    z = np.asarray(image, dtype=np.float64)
    rows, cols = z.shape
    valid = np.isfinite(z)
    full = np.where(valid, z, 0.0)
    squares = full * full
    weight = valid.astype(np.float64)

    count3 = sum3(weight)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean3 = sum3(full) / count3
        variance3 = sum3(squares) / count3 - mean3 * mean3
    mean3[~valid] = np.nan
    variance3[~valid] = np.nan
    stat3 = divide(np.maximum(variance3, 0), mean3 * mean3)

    def samples(a):
        padded = np.pad(a, 2, constant_values=np.nan)
        return [padded[r : r + rows, c : c + cols] for r in (0, 2, 4) for c in (0, 2, 4)]

    m = samples(mean3)
    gradients = [np.abs(m[1] - m[7]), np.abs(m[6] - m[2]), np.abs(m[3] - m[5]), np.abs(m[0] - m[8])]
    largest = np.maximum.reduce(gradients)
    first = [
        m[1] - m[4] > m[4] - m[7],
        m[6] - m[4] > m[4] - m[2],
        m[3] - m[4] > m[4] - m[5],
        m[0] - m[4] > m[4] - m[8],
    ]
    direction = np.zeros(z.shape, dtype=np.int32)
    for code, (gradient, forward) in enumerate(zip(gradients, first), start=1):
        direction += np.where(gradient == largest, np.where(forward, code, code + 4), 0)

    noise = np.mean(np.partition(np.stack(samples(stat3)), 4, axis=0)[:5], axis=0)

    mean = np.full(z.shape, np.nan)
    variance = np.full(z.shape, np.nan)
    for code, kernel in enumerate(direction_kernels(), start=1):
        here = direction == code
        n = correlate(weight, kernel, mode="constant")
        with np.errstate(invalid="ignore", divide="ignore"):
            kernel_mean = correlate(full, kernel, mode="constant") / n
            kernel_variance = correlate(squares, kernel, mode="constant") / n - kernel_mean**2
        mean[here] = kernel_mean[here]
        variance[here] = np.maximum(kernel_variance[here], 0)

    signal = (variance - mean * mean * noise) / (noise + 1)
    result = mean + divide(signal, variance) * (z - mean)
    result[np.isnan(largest)] = np.nan
    return result


if __name__ == "__main__":
    import rasterio

    with rasterio.open(sys.argv[1]) as source:
        image, profile = source.read(1), source.profile
    profile.update(dtype="float32", nodata=np.nan)
    with rasterio.open(sys.argv[2], "w", **profile) as target:
        target.write(refined_lee(image).astype(np.float32), 1)
