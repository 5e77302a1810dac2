import pandas as pd


def run(tables, out):
    groups = pd.read_parquet(tables["g1"]).groupby(["id6"], as_index=False, sort=False, observed=True, dropna=False)
    sums = groups.agg(v1=("v1", "sum"), v2=("v2", "sum"), v3=("v3", "sum"))
    sums.to_parquet(f"{out}/result.parquet", compression="snappy", index=False)
