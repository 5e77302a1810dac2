import polars as pl


def run(tables, out):
    table = pl.scan_parquet(tables["test"]).sort("col1", maintain_order=True).with_columns(col_0=pl.col("col3").log())
    lags = [pl.col("col_0").shift(k).over("col1").alias(f"col_{k}") for k in (1, 2, 3)]
    table.with_columns(lags).sink_parquet(f"{out}/result.parquet", compression="snappy", engine="streaming")
