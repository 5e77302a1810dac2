import dask.dataframe as dd


def run(tables, out):
    left, right = (dd.read_parquet(tables[name]) for name in ("left", "right"))
    left.merge(right, on="key", suffixes=("", "_right")).to_parquet(out, compression="snappy", write_index=False)
