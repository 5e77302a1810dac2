import polars as pl


def run(tables, out):
    groups = pl.scan_parquet(tables["g1"]).group_by("id6")
    largest = groups.agg(largest2_v3=pl.col("v3").drop_nulls().top_k(2).sort(descending=True))
    largest.sink_parquet(f"{out}/result.parquet", compression="snappy", engine="streaming")
