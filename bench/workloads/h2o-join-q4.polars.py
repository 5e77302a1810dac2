import polars as pl


def run(tables, out):
    x, medium = (pl.scan_parquet(tables[name]) for name in ("x", "medium"))
    joined = x.join(medium.rename({"id1": "medium_id1", "id2": "medium_id2", "id4": "medium_id4"}), on="id5", how="inner")
    joined.sink_parquet(f"{out}/result.parquet", compression="snappy", engine="streaming")
