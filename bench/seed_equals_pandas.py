"""seed_equals_pandas.py DATA RESULT: RESULT is what pandas makes of the seed's job over DATA/test and DATA/test2.

Cell for cell and in order: columns, types and values equal; logarithms within 2 units in the last place;
null exactly where pandas has no value, which it writes as NaN.
"""

import glob
import re
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

PERIODS = 4
LOG_ULPS = 2


def read(directory):
    """Reads a directory's files in natural order of their names."""
    natural = lambda p: [int(x) if x.isdigit() else x for x in re.split(r"(\d+)", p)]
    names = sorted(glob.glob(glob.escape(directory.rstrip("/")) + "/[!_.]*.parquet"), key=natural)
    return pa.concat_tables([pq.ParquetFile(name).read() for name in names])


def answer(test, test2):
    """The job in pandas."""
    a = test.sort_values("col1", kind="stable", ignore_index=True)
    groups = a.groupby("col1")["col3"]
    for k in range(PERIODS):
        a[f"col_{k}"] = np.log(groups.shift(k))
    return a.merge(test2, on="col1", how="left")


def ulps(x, y):
    """The largest distance of two columns of doubles, in units in the last place."""
    if len(x) == 0:
        return 0
    whole = lambda v: np.where(v.view("i8") < 0, np.int64(-(2**63)) - v.view("i8"), v.view("i8"))
    return int(np.abs(whole(x) - whole(y)).max())


def compare(name, want, got):
    """Fails with the column's name and the first row that differs."""
    null = got.is_null().to_numpy(zero_copy_only=False)
    lacks = want.isna().to_numpy()
    differ = np.flatnonzero(null != lacks)
    assert len(differ) == 0, f"{name}: row {differ[0]} is null in one of the two alone"
    x = want[~lacks].to_numpy()
    y = got.drop_null().to_numpy().astype(x.dtype, casting="safe")
    if name.startswith("col_"):
        far = ulps(x, y)
        assert far <= LOG_ULPS, f"{name}: {far} units in the last place"
    else:
        differ = np.flatnonzero(x.view("i8") != y.view("i8"))
        assert len(differ) == 0, f"{name}: value {differ[0]} is {y[differ[0]]}, not {x[differ[0]]}"
    return int(null.sum())


def main(data, result):
    test, test2 = read(data + "/test"), read(data + "/test2")
    want, got = answer(test.to_pandas(), test2.to_pandas()), read(result)
    assert got.column_names == list(want.columns), f"columns {got.column_names}, not {list(want.columns)}"
    assert len(got) == len(want), f"{len(got)} rows, not {len(want)}"
    nulls = {}
    for name in want.columns:
        nulls[name] = compare(name, want[name], got[name])
    print(f"{result} equals pandas: {len(want):,} rows, nulls {nulls}")


if __name__ == "__main__":
    main(*sys.argv[1:])
