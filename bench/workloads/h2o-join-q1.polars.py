import polars as pl


def run(tables, out):
    x, small = (pl.scan_parquet(tables[name]) for name in ("x", "small"))
    joined = x.join(small.rename({"id4": "small_id4"}), on="id1", how="inner")
    joined.sink_parquet(f"{out}/result.parquet", compression="snappy", engine="streaming")
