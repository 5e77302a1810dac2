import pandas as pd


def run(tables, out):
    groups = pd.read_parquet(tables["g1"]).groupby(["id1", "id2"], as_index=False, sort=False, observed=True, dropna=False)
    sums = groups.agg(v1=("v1", "sum"))
    sums.to_parquet(f"{out}/result.parquet", compression="snappy", index=False)
