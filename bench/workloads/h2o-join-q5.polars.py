import polars as pl


def run(tables, out):
    x, big = (pl.scan_parquet(tables[name]) for name in ("x", "big"))
    joined = x.join(big.rename({"id1": "big_id1", "id2": "big_id2", "id4": "big_id4", "id5": "big_id5", "id6": "big_id6"}), on="id3", how="inner")
    joined.sink_parquet(f"{out}/result.parquet", compression="snappy", engine="streaming")
