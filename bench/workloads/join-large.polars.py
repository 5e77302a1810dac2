import polars as pl


def run(tables, out):
    left, right = (pl.scan_parquet(tables[name]) for name in ("left", "right"))
    left.join(right, on="key").sink_parquet(f"{out}/result.parquet", compression="snappy", engine="streaming")
