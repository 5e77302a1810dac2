import pandas as pd


def run(tables, out):
    groups = pd.read_parquet(tables["group"]).groupby("key", as_index=False, sort=False)
    sums = groups.agg(rows=("v1", "size"), v1_sum=("v1", "sum"), v2_mean=("v2", "mean"))
    sums.to_parquet(f"{out}/result.parquet", compression="snappy", index=False)
