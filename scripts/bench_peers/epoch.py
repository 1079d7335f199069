"""The epoch of epoch.lua as the notebooks of dl-with-alos-dswe train: a Dataset over chip files that denoises each chip when it is asked for, a
DataLoader, and the network of segmentation_models_pytorch. Arguments: chips in a batch, workers of the DataLoader (0: none).
"""

import csv
import os
import random
import sys

# As perilune does: threads that wait for one another do not spin.
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

import numpy as np
import rasterio
import segmentation_models_pytorch as smp
import torch
from skimage.restoration import denoise_tv_bregman

BATCH, WORKERS = map(int, sys.argv[1:])
BANDS = ("hh", "hv", "dem", "hand")
# Constants, where perilune takes those of its chips.
MEAN = np.array([-10, -10, 150, 25], dtype=np.float32)[:, None, None]
STD = np.array([2, 2, 60, 10], dtype=np.float32)[:, None, None]


def read(path):
    with rasterio.open(f"epoch_chips/{path}") as source:
        return source.read(1)


class Chips(torch.utils.data.Dataset):
    def __init__(self, side):
        self.rows = [row for row in csv.DictReader(open("epoch_chips/training_data.csv")) if row["side"] == side]
        self.turns = side == "training"

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, number):
        row = self.rows[number]
        bands = [read(row[band]) for band in BANDS]
        bands[:2] = [denoise_tv_bregman(10 * np.log10(np.clip(band, 1e-5, 1)), weight=0.35) for band in bands[:2]]
        image, labels = (np.stack(bands).astype(np.float32) - MEAN) / STD, read(row["labels"])
        if self.turns:
            turns, flips = random.randrange(4), [axis for axis in (-2, -1) if random.random() < 0.5]
            image, labels = np.rot90(image, turns, (1, 2)), np.rot90(labels, turns)
            image, labels = np.flip(image, flips), np.flip(labels, flips)
        return torch.from_numpy(np.ascontiguousarray(image)), torch.from_numpy(labels.astype(np.int64))


torch.set_num_threads(2)
torch.manual_seed(1)
network = smp.Unet("resnet18", encoder_weights=None, in_channels=4, classes=2).train()
step = torch.optim.Adam(network.parameters(), lr=1e-4)
loss_of = torch.nn.CrossEntropyLoss(ignore_index=255)
total = 0.0
chips = Chips("training")
for images, labels in torch.utils.data.DataLoader(chips, batch_size=BATCH, shuffle=True, num_workers=WORKERS):
    step.zero_grad()
    loss = loss_of(network(images), labels)
    loss.backward()
    step.step()
    total += loss.item() * len(images)
network.eval()
with torch.no_grad():
    looked = [loss_of(network(images), labels).item() for images, labels in torch.utils.data.DataLoader(Chips("validation"))]
torch.save(network.state_dict(), "epoch_peer.pt")
print(f"{len(chips)} chips: training loss {total / len(chips):.4f}, validation loss {np.mean(looked):.4f}")
