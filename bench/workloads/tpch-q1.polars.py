from datetime import date

import polars as pl

# Floats, since products of Polars' decimals are rounded to two places.


def run(tables, out):
    item = pl.scan_parquet(tables["lineitem"]).filter(pl.col("l_shipdate") <= date(1998, 9, 2))
    qty, price, disc, tax = (pl.col(c).cast(pl.Float64) for c in ("l_quantity", "l_extendedprice", "l_discount", "l_tax"))
    sums = item.group_by("l_returnflag", "l_linestatus").agg(
        sum_qty=qty.sum(), sum_base_price=price.sum(), sum_disc_price=(price * (1 - disc)).sum(),
        sum_charge=(price * (1 - disc) * (1 + tax)).sum(), avg_qty=qty.mean(), avg_price=price.mean(), avg_disc=disc.mean(), count_order=pl.len())
    sums.sink_parquet(f"{out}/result.parquet", compression="snappy", engine="streaming")
