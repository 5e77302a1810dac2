import pandas as pd


def run(tables, out):
    left, right = (pd.read_parquet(tables[name]) for name in ("left", "right"))
    joined = left.sort_values("key").merge(right, on="key", how="left", suffixes=("", "_right"))
    joined.to_parquet(f"{out}/result.parquet", compression="snappy", index=False)
