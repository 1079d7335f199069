"""Numbers that both sides make by the same formula, so that no weights have to be kept."""

import zlib

import numpy as np
import torch


def numbers(seed, count):
    """In -1 <= x < 1, from a hash of seed and position."""
    mask = np.uint64(0xFFFFFFFF)
    z = (np.arange(count, dtype=np.uint64) * np.uint64(2654435761) + np.uint64(seed)) & mask
    for _ in range(2):
        z ^= z >> np.uint64(16)
        z = (z * np.uint64(0x45D9F3B)) & mask
    z ^= z >> np.uint64(16)
    return z.astype(np.float64) / 2.0**31 - 1.0


def tensor(seed, *shape):
    return torch.from_numpy(numbers(seed, int(np.prod(shape))).astype(np.float32)).reshape(shape)


def weights(model):
    """Fills a state dict by the names and shapes of its tensors."""
    state = model.state_dict()
    for name, value in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        n = numbers(zlib.crc32(name.encode()), value.numel())
        shape = tuple(value.shape)
        if len(shape) == 4:
            n = n * np.sqrt(6.0 / (shape[1] * shape[2] * shape[3]))
        elif name.endswith("running_var"):
            n = 1.0 + 0.2 * n
        elif name.endswith("weight"):
            n = 1.0 + 0.1 * n
        else:
            n = 0.1 * n
        state[name] = torch.from_numpy(n.astype(np.float32)).reshape(shape)
    model.load_state_dict(state)


def rounded(values):
    """As many digits as a float32 has."""
    return [float(f"{v:.9g}") for v in values]
