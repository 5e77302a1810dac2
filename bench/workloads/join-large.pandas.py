import pandas as pd


def run(tables, out):
    left, right = (pd.read_parquet(tables[name]) for name in ("left", "right"))
    joined = left.merge(right, on="key", suffixes=("", "_right"))
    joined.to_parquet(f"{out}/result.parquet", compression="snappy", index=False)
