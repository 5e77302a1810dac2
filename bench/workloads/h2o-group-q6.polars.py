import polars as pl


def run(tables, out):
    groups = pl.scan_parquet(tables["g1"]).group_by("id4", "id5")
    sums = groups.agg(median_v3=pl.col("v3").median(), sd_v3=pl.col("v3").std())
    sums.sink_parquet(f"{out}/result.parquet", compression="snappy", engine="streaming")
