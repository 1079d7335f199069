"""A table of 1 million rows, by pandas or polars: read, grouped, written.

tables.py make FILE
tables.py pandas|polars SOURCE group|copy TARGET
"""

import sys


def make(path):
    import numpy as np

    random = np.random.default_rng(1)
    n = 1_000_000
    station, count = random.integers(0, 1000, n), random.integers(0, 100_000, n)
    lon, lat, value = random.uniform(5, 25, n).round(6), random.uniform(50, 70, n).round(6), random.normal(-12, 4, n)
    seconds = random.integers(0, 86400 * 2000, n).astype("timedelta64[s]")
    time = (np.datetime64("2017-01-01T00:00:00") + seconds).astype(str)
    with open(path, "w") as file:
        file.write("id,station,time,lon,lat,count,value\n")
        for i in range(n):
            known = "" if i % 50 == 7 else repr(float(value[i]))
            file.write(f"{i},station_{station[i]:03d},{time[i]}Z,{lon[i]},{lat[i]},{count[i]},{known}\n")


def with_pandas(source, what, target):
    import pandas as pd

    csv = source.endswith(".csv")
    t = pd.read_csv(source, parse_dates=["time"]) if csv else pd.read_parquet(source)
    if what == "group":
        t = t.groupby("station", sort=False, as_index=False).agg(
            mean_value=("value", "mean"), std_value=("value", lambda v: v.std(ddof=0)), count_value=("value", "count"))
    t.to_csv(target, index=False) if target.endswith(".csv") else t.to_parquet(target)


def with_polars(source, what, target):
    import polars as pl

    t = pl.read_csv(source, try_parse_dates=True) if source.endswith(".csv") else pl.read_parquet(source)
    if what == "group":
        value = pl.col("value")
        t = t.group_by("station", maintain_order=True).agg(
            value.mean().alias("mean_value"), value.std(ddof=0).alias("std_value"), value.count().alias("count_value"))
    t.write_csv(target) if target.endswith(".csv") else t.write_parquet(target)


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2])
    else:
        {"pandas": with_pandas, "polars": with_polars}[sys.argv[1]](*sys.argv[2:])
