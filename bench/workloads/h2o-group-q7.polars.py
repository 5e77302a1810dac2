import polars as pl


def run(tables, out):
    groups = pl.scan_parquet(tables["g1"]).group_by("id3")
    sums = groups.agg(range_v1_v2=pl.col("v1").max() - pl.col("v2").min())
    sums.sink_parquet(f"{out}/result.parquet", compression="snappy", engine="streaming")
