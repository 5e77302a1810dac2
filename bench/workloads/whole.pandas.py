import numpy as np
import pandas as pd


def run(tables, out):
    table = pd.read_parquet(tables["test"]).sort_values("col1", kind="stable", ignore_index=True)
    table["col_0"] = np.log(table["col3"])
    groups = table.groupby("col1")["col_0"]
    for k in (1, 2, 3):
        table[f"col_{k}"] = groups.shift(k)
    means = pd.read_parquet(tables["test2"]).groupby("col1", as_index=False).agg(col4_mean=("col4", "mean"), col4_rows=("col4", "size"))
    table.merge(means, on="col1", how="left").to_parquet(f"{out}/result.parquet", compression="snappy", index=False)
