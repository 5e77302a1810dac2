from datetime import date
from decimal import Decimal

import polars as pl

# Floats, since products of Polars' decimals are rounded to two places.


def run(tables, out):
    day, disc = pl.col("l_shipdate"), pl.col("l_discount")
    item = pl.scan_parquet(tables["lineitem"]).filter(
        (day >= date(1994, 1, 1)) & (day < date(1995, 1, 1)) & disc.is_between(Decimal("0.05"), Decimal("0.07")) & (pl.col("l_quantity") < 24))
    revenue = item.select(revenue=(pl.col("l_extendedprice").cast(pl.Float64) * disc.cast(pl.Float64)).sum())
    revenue.sink_parquet(f"{out}/result.parquet", compression="snappy", engine="streaming")
