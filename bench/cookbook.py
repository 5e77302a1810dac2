"""cookbook.py DIR...: the pandas and DuckDB ways on the cookbook's pages give what the page says that pqjoin gives.

The blocks of a page are its data ("csv PATH"), the result ("csv LABEL", the first), python that makes result, and SQL.
"""

import io
import os
import re
import sys
import tempfile

import duckdb
import numpy as np
import pandas as pd


def plain(frame, columns):
    out = frame.reset_index(drop=True)[columns].copy()
    for c in columns:
        if pd.api.types.is_datetime64_any_dtype(out[c]):
            out[c] = out[c].astype("datetime64[us]")
        elif pd.api.types.is_numeric_dtype(out[c]) and not pd.api.types.is_bool_dtype(out[c]):
            out[c] = out[c].astype(float)
        elif out[c].dtype == object and out[c].map(lambda v: type(v).__name__ in ("Decimal", "int", "float")).any():
            out[c] = out[c].astype(float)
        elif out[c].map(lambda v: type(v).__name__ == "date").any():
            out[c] = pd.to_datetime(out[c]).astype("datetime64[us]")
        else:
            out[c] = out[c].astype(str)
    return out


def check(page):
    with open(page) as f:
        blocks = re.findall(r"^```(\w+) ?([^\n]*)\n(.*?)^```$", f.read(), re.S | re.M)
    if not any(kind == "python" for kind, _, _ in blocks):
        return 0
    want, count = None, 0
    for kind, info, text in blocks:
        if kind == "csv" and "/" in info:
            os.makedirs(os.path.dirname(info), exist_ok=True)
            with open(info, "w") as f:
                f.write(text)
        elif kind == "csv" and want is None:
            want = pd.read_csv(io.StringIO(text), dtype={"zip": "str"})
            for c in want.columns:
                if want[c].dtype.kind not in "fib" and want[c].astype(str).str.match(r"\d{4}-\d\d-\d\d").any():
                    want[c] = pd.to_datetime(want[c])
    for kind, _, text in blocks:
        if kind == "python":
            names = {"pd": pd, "np": np}
            with np.errstate(all="ignore"):
                exec(text, names)
            got = names["result"]
        elif kind == "sql":
            got = duckdb.sql(text).df()
        else:
            continue
        pd.testing.assert_frame_equal(plain(got, list(want.columns)), plain(want, list(want.columns)), check_dtype=False, rtol=1e-12, obj=f"{page}: {kind}")
        count += 1
    return count


def main(pages):
    pages = [os.path.abspath(p) for p in pages]
    count = 0
    for page in pages:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            count += check(page)
            os.chdir("/")
    print(f"{count} ways of pandas and DuckDB give what the cookbook says")


if __name__ == "__main__":
    main(sys.argv[1:])
