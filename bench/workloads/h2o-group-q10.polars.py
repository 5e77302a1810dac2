import polars as pl


def run(tables, out):
    groups = pl.scan_parquet(tables["g1"]).group_by("id1", "id2", "id3", "id4", "id5", "id6")
    sums = groups.agg(v3=pl.col("v3").sum(), count=pl.len())
    sums.sink_parquet(f"{out}/result.parquet", compression="snappy", engine="streaming")
