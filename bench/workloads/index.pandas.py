import pandas as pd


def run(tables, out):
    pd.read_parquet(tables["test"]).sort_values("col1").to_parquet(f"{out}/result.parquet", compression="snappy", index=False)
