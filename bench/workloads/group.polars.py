import polars as pl


def run(tables, out):
    groups = pl.scan_parquet(tables["group"]).group_by("key")
    sums = groups.agg(rows=pl.len(), v1_sum=pl.col("v1").sum(), v2_mean=pl.col("v2").mean())
    sums.sink_parquet(f"{out}/result.parquet", compression="snappy", engine="streaming")
