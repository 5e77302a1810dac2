import dask.dataframe as dd


def run(tables, out):
    dd.read_parquet(tables["test"]).set_index("col1").to_parquet(out, compression="snappy")
