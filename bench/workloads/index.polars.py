import polars as pl


def run(tables, out):
    pl.scan_parquet(tables["test"]).sort("col1").sink_parquet(f"{out}/result.parquet", compression="snappy", engine="streaming")
