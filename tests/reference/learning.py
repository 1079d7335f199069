#!/usr/bin/env python3
"""Numbers that tests/lua/learning/evaluate.lua expects, by scikit-learn.

    python3 -m venv venv && venv/bin/pip install scikit-learn && venv/bin/python tests/reference/learning.py

Class rasters are made by a formula that Lua can follow: no file is shared.
"""
import sys
import numpy as np
import sklearn
from sklearn.metrics import (accuracy_score, cohen_kappa_score, confusion_matrix, f1_score, jaccard_score,
                             precision_score, recall_score)

print(f"scikit-learn {sklearn.__version__}, Python {sys.version.split()[0]}")


def scene(seed, rows=60, cols=80):
    r, c = np.mgrid[0:rows, 0:cols]
    labels = (r * 7 + c * 3 + seed) // 40 % 3
    prediction = np.where((r * 13 + c * 29 + seed * 5) % 11 < 1 + seed % 4, (labels + 1 + (r + c) % 2) % 3, labels)
    labels = np.where((r + 2 * c + seed) % 17 == 0, 255, labels)
    return labels.ravel(), prediction.ravel()


def show(name, y, p):
    keep = y != 255
    y, p = y[keep], p[keep]
    print(name, len(y), "pixels,", (~keep).sum(), "ignored")
    print(confusion_matrix(y, p).tolist())
    for f in (precision_score, recall_score, f1_score, jaccard_score):
        print(f.__name__, [round(float(v), 9) for v in f(y, p, average=None)])
    print("accuracy", round(accuracy_score(y, p), 9), "kappa", round(cohen_kappa_score(y, p), 9))
    print("macro f1", round(f1_score(y, p, average="macro"), 9), "iou", round(jaccard_score(y, p, average="macro"), 9))


pairs = [scene(seed) for seed in (1, 2, 3, 4)]
show("scene 1", *pairs[0])
show("all", *[np.concatenate(part) for part in zip(*pairs)])

# The bootstrap over scenes, every one of the 4**4 resamples: what random draws come near to.
import itertools
matrices = [confusion_matrix(y[y != 255], p[y != 255]) for y, p in pairs]
accuracy = [np.trace(m) / m.sum() for draw in itertools.product(matrices, repeat=4) for m in [sum(draw)]]
print("bootstrap of accuracy, all resamples, 2.5 and 97.5 %", np.percentile(accuracy, [2.5, 97.5]).round(9).tolist())
