# verify: col1 col2 col3 col_0
# As the seed wrote it: each partition of the index by itself.
import dask.dataframe as dd
import numpy as np


def lags(part):
    part["col_0"] = np.log(part["col3"])
    groups = part.groupby("col1")["col_0"]
    for k in (1, 2, 3):
        part[f"col_{k}"] = groups.shift(k)
    return part


def run(tables, out):
    dd.read_parquet(tables["test"]).set_index("col1").map_partitions(lags).to_parquet(out, compression="snappy")
