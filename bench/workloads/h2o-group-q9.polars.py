import polars as pl


def run(tables, out):
    groups = pl.scan_parquet(tables["g1"]).group_by("id2", "id4")
    sums = groups.agg(r2=pl.corr("v1", "v2") ** 2)
    sums.sink_parquet(f"{out}/result.parquet", compression="snappy", engine="streaming")
