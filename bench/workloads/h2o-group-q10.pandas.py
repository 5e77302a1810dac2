import pandas as pd


def run(tables, out):
    groups = pd.read_parquet(tables["g1"]).groupby(["id1", "id2", "id3", "id4", "id5", "id6"], as_index=False, sort=False, observed=True, dropna=False)
    sums = groups.agg(v3=("v3", "sum"), count=("v1", "size"))
    sums.to_parquet(f"{out}/result.parquet", compression="snappy", index=False)
