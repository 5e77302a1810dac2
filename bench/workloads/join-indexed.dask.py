import dask.dataframe as dd


def run(tables, out):
    left, right = (dd.read_parquet(tables[name]).set_index("key") for name in ("left", "right"))
    joined = left.merge(right, left_index=True, right_index=True, how="left", suffixes=("", "_right"))
    joined.to_parquet(out, compression="snappy")
