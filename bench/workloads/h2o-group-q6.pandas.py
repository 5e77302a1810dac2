import pandas as pd


def run(tables, out):
    groups = pd.read_parquet(tables["g1"]).groupby(["id4", "id5"], as_index=False, sort=False, observed=True, dropna=False)
    sums = groups.agg(median_v3=("v3", "median"), sd_v3=("v3", "std"))
    sums.to_parquet(f"{out}/result.parquet", compression="snappy", index=False)
