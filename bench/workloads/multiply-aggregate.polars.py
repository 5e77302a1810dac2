import polars as pl


def run(tables, out):
    test, test2 = (pl.scan_parquet(tables[name]) for name in ("test", "test2"))
    groups = test.join(test2, on="col1").group_by("col1")
    sums = groups.agg(rows=pl.len(), col2_sum=pl.col("col2").sum(), col3_mean=pl.col("col3").mean(), col4_mean=pl.col("col4").mean())
    sums.sink_parquet(f"{out}/result.parquet", compression="snappy", engine="streaming")
