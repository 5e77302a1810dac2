import pandas as pd


def run(tables, out):
    rows = pd.read_parquet(tables["g1"], columns=["id6", "v3"]).sort_values("v3", ascending=False)
    largest = rows.groupby("id6", sort=False, dropna=False)["v3"].agg(lambda v: list(v.dropna().head(2)))
    largest.reset_index(name="largest2_v3").to_parquet(f"{out}/result.parquet", compression="snappy", index=False)
