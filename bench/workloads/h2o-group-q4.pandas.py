import pandas as pd


def run(tables, out):
    groups = pd.read_parquet(tables["g1"]).groupby(["id4"], as_index=False, sort=False, observed=True, dropna=False)
    sums = groups.agg(v1=("v1", "mean"), v2=("v2", "mean"), v3=("v3", "mean"))
    sums.to_parquet(f"{out}/result.parquet", compression="snappy", index=False)
