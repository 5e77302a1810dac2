import dask.dataframe as dd


def run(tables, out):
    groups = dd.read_parquet(tables["group"]).groupby("key", sort=False)
    sums = groups.agg(rows=("v1", "size"), v1_sum=("v1", "sum"), v2_mean=("v2", "mean"), split_out=8)
    sums.to_parquet(out, compression="snappy")
