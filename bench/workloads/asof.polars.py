import polars as pl


def run(tables, out):
    trades, quotes = (pl.scan_parquet(tables[name]).set_sorted("ts") for name in ("trades", "quotes"))
    result = trades.join_asof(quotes, on="ts", by="sym", check_sortedness=False)
    result.sink_parquet(f"{out}/result.parquet", compression="snappy", engine="streaming")
