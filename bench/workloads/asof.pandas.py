import pandas as pd


def run(tables, out):
    trades, quotes = (pd.read_parquet(tables[name]) for name in ("trades", "quotes"))  # both in the order of ts
    pd.merge_asof(trades, quotes, on="ts", by="sym").to_parquet(f"{out}/result.parquet", compression="snappy", index=False)
