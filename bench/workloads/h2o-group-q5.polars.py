import polars as pl


def run(tables, out):
    groups = pl.scan_parquet(tables["g1"]).group_by("id6")
    sums = groups.agg(v1=pl.col("v1").sum(), v2=pl.col("v2").sum(), v3=pl.col("v3").sum())
    sums.sink_parquet(f"{out}/result.parquet", compression="snappy", engine="streaming")
