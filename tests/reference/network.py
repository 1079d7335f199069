"""Records what numpy.linalg.lstsq makes of networks of pairs: python3 network.py > ../fixtures/network/lstsq.json"""
import json

import numpy as np

rng = np.random.default_rng(3)


def clean(values):
    return [None if np.isnan(v) else float(v) for v in values]


def case(dates, pairs, missing):
    truth = np.cumsum(rng.normal(size=dates))
    values = np.array([truth[b] - truth[a] for a, b in pairs]) + 0.1 * rng.normal(size=len(pairs))
    values[missing] = np.nan
    weights = rng.uniform(0.2, 3.0, size=len(pairs))
    used = ~np.isnan(values)
    rows = np.zeros((len(pairs), dates))
    for row, (a, b) in zip(rows, pairs):
        row[b], row[a] = 1, -1
    design = (np.sqrt(weights)[:, None] * rows)[used][:, 1:]
    solution = np.linalg.lstsq(design, (np.sqrt(weights) * values)[used], rcond=None)[0]
    series = np.concatenate([[0], solution])
    residuals = values - rows @ series
    redundancy = used.sum() - (dates - 1)
    variance = np.sum((weights * residuals**2)[used]) / redundancy
    sigma = np.concatenate([[0], np.sqrt(variance * np.diag(np.linalg.inv(design.T @ design)))])
    return {
        "dates": dates, "reference": [a for a, _ in pairs], "secondary": [b for _, b in pairs], "values": clean(values),
        "weights": clean(weights), "series": clean(series), "sigma": clean(sigma), "residuals": clean(residuals),
    }


neighbours = [(i, j) for i in range(25) for j in range(i + 1, min(25, i + 4))]
long = [(i, j) for i in range(14) for j in range(i + 1, 14) if (j - i) in (1, 5, 9)]
print(json.dumps([case(25, neighbours, [4, 17, 40]), case(14, long, [2])]))
