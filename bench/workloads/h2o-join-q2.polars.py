import polars as pl


def run(tables, out):
    x, medium = (pl.scan_parquet(tables[name]) for name in ("x", "medium"))
    joined = x.join(medium.rename({"id1": "medium_id1", "id4": "medium_id4", "id5": "medium_id5"}), on="id2", how="inner")
    joined.sink_parquet(f"{out}/result.parquet", compression="snappy", engine="streaming")
