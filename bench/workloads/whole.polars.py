import polars as pl


def run(tables, out):
    means = pl.scan_parquet(tables["test2"]).group_by("col1").agg(col4_mean=pl.col("col4").mean(), col4_rows=pl.len())
    table = pl.scan_parquet(tables["test"]).sort("col1", maintain_order=True).with_columns(col_0=pl.col("col3").log())
    lags = [pl.col("col_0").shift(k).over("col1").alias(f"col_{k}") for k in (1, 2, 3)]
    joined = table.with_columns(lags).join(means, on="col1", how="left", maintain_order="left")
    joined.sink_parquet(f"{out}/result.parquet", compression="snappy", engine="streaming")
