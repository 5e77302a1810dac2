import pandas as pd


def run(tables, out):
    groups = pd.read_parquet(tables["g1"]).groupby(["id3"], as_index=False, sort=False, observed=True, dropna=False)
    sums = groups.agg(v1=("v1", "max"), v2=("v2", "min"))
    sums["range_v1_v2"] = sums["v1"] - sums["v2"]
    sums = sums[["id3", "range_v1_v2"]]
    sums.to_parquet(f"{out}/result.parquet", compression="snappy", index=False)
