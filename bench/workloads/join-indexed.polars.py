import polars as pl


def run(tables, out):
    left, right = (pl.scan_parquet(tables[name]) for name in ("left", "right"))
    joined = left.join(right, on="key", how="left").sort("key")
    joined.sink_parquet(f"{out}/result.parquet", compression="snappy", engine="streaming")
