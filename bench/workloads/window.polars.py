import polars as pl


def run(tables, out):
    of = lambda x: x.over("sym")  # rows are in the order of ts
    pl.scan_parquet(tables["trades"]).with_columns(
        mean20=of(pl.col("px").rolling_mean(20)), volume=of(pl.col("qty").cast(pl.Int64).cum_sum()),
        place=of(pl.col("ts").rank("min")), next=of(pl.col("px").shift(-1)),
    ).sink_parquet(f"{out}/result.parquet", compression="snappy", engine="streaming")
