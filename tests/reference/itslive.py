#!/usr/bin/env python3
"""What others say of the granules, turns and fits in tests/lua/itslive.

    pip install numpy netCDF4 pyproj statsmodels
    python itslive.py granules FOLDER     # the table in real.lua: FOLDER holds ../shared/data/itslive
    python itslive.py turns               # the table in rotate.lua
    python itslive.py season              # the table in season.lua

Made with netCDF4 1.7, pyproj 3.7, statsmodels 0.14."""

import sys

# Places (longitude, latitude) and the two projections: polar stereographic of both poles, UTM on both sides of zones.
TURNS = [
    (-49.3, 69.15, 32622, 3413),
    (-45.1, 61.2, 32623, 3413),
    (-100.5, -75.0, 32714, 3031),
    (15.2, 78.9, 32633, 3413),
    (-140.0, 60.2, 32607, 3413),
    (77.0, 35.5, 32643, 32644),
    (-65.0, -68.0, 3031, 32720),
    (179.9, -78.0, 32760, 3031),
]


def granules(folder):
    import glob

    import netCDF4
    import numpy as np

    for path in sorted(glob.glob(folder + "/*.nc")):
        data = netCDF4.Dataset(path)
        print("  [" + repr(path.split("/")[-1]).replace("'", '"') + "] = {")
        for name in ("vx", "vy", "v"):
            band = np.ma.masked_equal(np.ma.filled(data[name][:].astype(float), -32767), -32767)
            said = [band.count()] + ([] if band.count() == 0 else [band.min(), band.max(), band.mean()])
            print(f"    {name} = {{ {', '.join(repr(float(x)) for x in said)} }},")
        if band.count():
            rows, cols = np.nonzero(~band.mask)
            print("    pixels = {")
            for i in range(0, len(rows), len(rows) // 7):
                r, c = rows[i], cols[i]
                values = [int(data[name][r, c]) for name in ("vx", "vy", "v")]
                print(f"      {{ {r}, {c}, {values[0]}, {values[1]}, {values[2]} }},")
            print("    },")
        print(f"    x = {float(data['x'][0])!r}, y = {float(data['y'][0])!r},")
        print("  },")


def turns():
    """By the meridian convergences of both projections, which PROJ computes from their formulas, not from coordinates."""
    import numpy as np
    from pyproj import CRS, Proj, Transformer

    for lon, lat, source, target in TURNS:
        factors = [Proj(CRS.from_epsg(code)).get_factors(lon, lat) for code in (source, target)]
        # Convergence: the angle from grid north to true north, clockwise positive. A vector along the source's x axis points to
        # azimuth 90 + convergence there.
        gamma = np.radians([f.meridian_convergence for f in factors])
        angle = gamma[1] - gamma[0]
        vx, vy = 300.0, -120.0
        x = vx * np.cos(angle) - vy * np.sin(angle)
        y = vx * np.sin(angle) + vy * np.cos(angle)
        # The same by the end points of a short step, so that the sign above is not a matter of faith.
        to = Transformer.from_crs(source, target, always_xy=True)
        px, py = Transformer.from_crs(4326, source, always_xy=True).transform(lon, lat)
        ax, ay = to.transform(px, py)
        bx, by = to.transform(px + vx / 10, py + vy / 10)
        step = np.array([bx - ax, by - ay])
        step *= np.hypot(vx, vy) / np.hypot(*step)
        assert np.allclose(step, [x, y], atol=0.05), (step, x, y)
        print(f"  {{ {lon}, {lat}, {source}, {target}, {float(ax)!r}, {float(ay)!r}, {float(x)!r}, {float(y)!r} }},")


def season():
    """Weighted least squares of a line and of the means of a wave over spans, by statsmodels."""
    import numpy as np
    import statsmodels.api as sm

    rng = np.random.default_rng(11)
    n = 36
    mid = np.sort(rng.uniform(5500, 8000, n)).round(2)
    days = rng.choice([6.0, 16.0, 48.0, 120.0, 352.0], n)
    error = rng.uniform(20, 90, n).round(1)
    half = np.pi * days / 365.25
    wave = np.exp(1j * (2 * np.pi * mid / 365.25)) * np.sin(half) / half
    v = 1500 + 40 * (mid - mid.mean()) / 365.25 + 220 * (wave * np.exp(-1j * 2 * np.pi * 200 / 365.25)).real
    v = (v + rng.normal(0, error)).round(1)
    design = np.column_stack([np.ones(n), (mid - mid.mean()) / 365.25, wave.real, wave.imag])
    fit = sm.WLS(v, design, weights=1 / error**2).fit()
    c, s = fit.params[2:]
    cov = fit.cov_params()[2:, 2:]
    amplitude = np.hypot(c, s)
    along, across = np.array([c, s]) / amplitude, np.array([-s, c]) / amplitude**2
    per_turn = 365.25 / (2 * np.pi)
    expected = {
        "v_mean": fit.params[0],
        "v_slope": fit.params[1],
        "v_annual_amplitude": amplitude,
        "v_annual_amplitude_std_error": np.sqrt(along @ cov @ along),
        "v_annual_phase": np.arctan2(s, c) * per_turn % 365.25,
        "v_annual_phase_std_error": np.sqrt(across @ cov @ across) * per_turn,
        "v_residual": np.sqrt(fit.mse_resid),
    }
    print("local pairs = { -- days since 2000-01-01, days of the span, velocity, error")
    for row in zip(mid, days, v, error):
        print("  { " + ", ".join(repr(float(x)) for x in row) + " },")
    print("}\nlocal expected = {")
    for name, value in expected.items():
        print(f"  {name} = {float(value)!r},")
    print("}")


if __name__ == "__main__":
    {"granules": granules, "turns": turns, "season": season}[sys.argv[1]](*sys.argv[2:])
