"""What scipy, statsmodels, hdstats and slow loops say of series: src/statistics/series/over_time.txt.

    pip install numpy "scipy<1.15" statsmodels hdstats   # newer scipy lacks what hdstats imports
    python tests/reference/over_time.py > src/statistics/series/over_time.txt

Lines are a name and numbers; lines of one case follow each other.
"""
import itertools

import hdstats
import numpy as np
import scipy
import statsmodels
import statsmodels.api as sm
from scipy.optimize import minimize
from scipy.special import gammaincc
from scipy.stats import chi2, f, gamma, linregress
from statsmodels.stats.weightstats import DescrStatsW

rng = np.random.default_rng(11)


def line(name, *values):
    print(name, *(repr(float(v)) for v in values))


print(f"# numpy {np.__version__}, scipy {scipy.__version__}, statsmodels {statsmodels.__version__}, hdstats {hdstats.__version__ if hasattr(hdstats, '__version__') else '0.2.1'}")

# The upper incomplete gamma function.
for a in (0.5, 1.0, 2.5, 7.0, 40.0, 199.0, 5000.0):
    for x in (1e-6, 0.3 * a, 0.9 * a, a, a + 1, 1.1 * a + 2, 2 * a + 20, 3 * a + 300):
        line("gamma", a, x, gammaincc(a, x))

# Lines of least squares with gaps; weighted means by a weighted regression on a constant: of known variances, and of variances that are known up to a factor.
for case in range(6):
    n = [3, 4, 9, 21, 40, 100][case]
    t = np.sort(rng.uniform(0, 6, n)).round(4)
    y = (1000 + 2.5 * t + rng.normal(0, 1.5, n)).round(4)
    fit = linregress(t, y)
    line("line_times", *t)
    line("line_values", *y)
    line("line", fit.slope, fit.intercept, fit.stderr, fit.intercept_stderr, fit.rvalue**2)
    error = rng.uniform(0.2, 4, n).round(3)
    factor = rng.uniform(1, 365, n).round(1)
    line("weighted_error", *error)
    line("weighted_factor", *factor)
    ones = np.ones(n)
    by_error = sm.WLS(y, ones, weights=1 / error**2).fit()
    known = sm.WLS(y, ones, weights=1 / error**2).fit(cov_type="fixed scale")
    line("weighted_by_error", by_error.params[0], known.bse[0], by_error.bse[0], by_error.scale, n)
    by_factor = sm.WLS(y, ones, weights=factor).fit()
    line("weighted_by_factor", by_factor.params[0], by_factor.bse[0], n)
    both = sm.WLS(y, ones, weights=factor / error**2).fit()
    # Of a linear combination of values with these errors; χ² of them about the mean.
    w = factor / error**2
    std_error = np.sqrt(np.sum((w * error) ** 2)) / w.sum()
    chi = np.sum(((y - both.params[0]) / error) ** 2) / (n - 1)
    line("weighted_by_both", both.params[0], std_error, both.bse[0], chi, n)

    for name, weights in (("error", 1 / error**2), ("factor", factor), ("both", w)):
        line(f"weighted_median_by_{name}", DescrStatsW(y, weights=weights).quantile(0.5, return_pandas=False)[0])

# Geometric medians: of hdstats, in float32 until its steps are below 1e-7, and by minimising the sum of distances.
for case in range(8):
    n, bands = [(3, 2), (5, 3), (8, 6), (15, 4), (25, 6), (40, 10), (12, 1), (9, 3)][case]
    x = rng.normal(0, 1, (n, bands)) * rng.uniform(0.2, 2, bands) + rng.uniform(0, 5, bands)
    x[: n // 4] += rng.uniform(3, 9)
    if case == 7:
        # The median is one of the points.
        x[4] = x.mean(axis=0)
        x = np.concatenate([x, np.repeat(x[4:5], 6, axis=0)])
        n = len(x)
    x = x.astype(np.float32)
    line("points", n, bands, *x.ravel())
    line("hdstats", *np.asarray(hdstats.geomedian(np.ascontiguousarray(x.T), axis=1, eps=1e-7, maxiters=10000)))
    y = x.astype(float)
    sums = lambda p: np.sqrt(((y - p) ** 2).sum(axis=1)).sum()
    best = minimize(sums, np.median(y, axis=0), method="Nelder-Mead", options=dict(xatol=1e-10, fatol=1e-13, maxiter=200000, maxfev=200000, adaptive=True))
    best = minimize(sums, best.x, method="Powell", options=dict(xtol=1e-12, ftol=1e-15, maxiter=200000))
    line("smallest_sum", best.fun)

# Cumulative sums, by all orders of a few values.
for case in range(6):
    n = [3, 5, 6, 7, 8, 7][case]
    y = (rng.normal(0, 1, n) + np.where(np.arange(n) >= n // 2, 2.0, 0)).round(2)
    if case == 5:
        # Equal values, so that many orders are as large.
        y = np.array([1, 1, 1, 2, 2, 2, 2.0])
    s = np.concatenate([[0], np.cumsum(y - y.mean())])
    magnitude = s.max() - s.min()
    at = int(np.argmax(np.abs(s[1:n])) + 1)
    smaller = total = 0
    for order in itertools.permutations(y - y.mean()):
        p = np.concatenate([[0], np.cumsum(order)])
        smaller += p.max() - p.min() < magnitude - 1e-9
        total += 1
    line("cusum_values", *y)
    line("cusum", magnitude, at + 1, y[at:].mean() - y[:at].mean(), smaller / total)


# The omnibus test, its sequence written as it is told.
def tail(z, df, rho):
    omega = -df / 4 * (1 - 1 / rho) ** 2
    return chi2.sf(z, df) + omega * (chi2.sf(z, df + 4) - chi2.sf(z, df))


def p_all(x, n):
    k, b = x.shape
    log_q = n * (b * k * np.log(k) + np.log(x).sum() - k * np.log(x.sum(axis=0)).sum())
    return tail(-2 * (1 - (k + 1) / (6 * n * k)) * log_q, b * (k - 1), 1 - (k + 1) / (6 * n * k))


def p_one(x, n):
    j, b = x.shape
    before = x[:-1].sum(axis=0)
    log_r = n * (b * (j * np.log(j) - (j - 1) * np.log(j - 1)) + (j - 1) * np.log(before).sum() + np.log(x[-1]).sum() - j * np.log(x.sum(axis=0)).sum())
    rho = 1 - (1 + 1 / (j * (j - 1))) / (6 * n)
    return tail(-2 * rho * log_r, b, rho)


def changes(x, n, alpha):
    found, start = [], 0
    while len(x) - start >= 2 and p_all(x[start:], n) < alpha:
        for end in range(start + 2, len(x) + 1):
            if p_one(x[start:end], n) < alpha:
                found.append(end)
                start = end - 1
                break
        else:
            break
    return found


for case in range(14):
    k, b, n = [(2, 1, 4.4), (2, 2, 1), (5, 2, 4.4), (12, 2, 4.4), (12, 1, 20), (30, 2, 9), (60, 2, 4.4)][case % 7]
    alpha = 0.01
    level = np.ones((k, b))
    for _ in range(rng.integers(0, 4)):
        level[rng.integers(0, k) :] *= rng.choice([0.25, 4.0], size=b if case % 2 else 1)
    x = level * rng.gamma(n, 1 / n, (k, b)) * 0.1
    found = changes(x, n, alpha)
    line("omnibus_powers", k, b, n, alpha, *x.ravel())
    line("omnibus", p_all(x, n), *found)

# For two images of one channel the ratio is distributed as F, exactly.
for n in (1, 2, 4.4, 20):
    for ratio in (1.3, 2.0, 5.0, 12.0):
        line("two_powers", n, ratio, 2 * f.sf(ratio, 2 * n, 2 * n))

# How often chance alone is called a change, by the exact distribution: 4·10⁵ draws of gamma deviates, level 0.01.
for k, b, n in ((3, 1, 1), (10, 1, 4.4), (10, 2, 4.4), (30, 2, 9)):
    x = gamma.rvs(n, scale=1 / n, size=(400000, k, b), random_state=rng)
    log_q = n * (b * k * np.log(k) + np.log(x).sum(axis=(1, 2)) - k * np.log(x.sum(axis=1)).sum(axis=1))
    line("quantile_of_chance", k, b, n, 0.01, np.quantile(-log_q, 0.99))
