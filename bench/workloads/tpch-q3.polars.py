from datetime import date

import polars as pl

# Floats, since products of Polars' decimals are rounded to two places.


def run(tables, out):
    customer, orders, item = (pl.scan_parquet(tables[name]) for name in ("customer", "orders", "lineitem"))
    building = customer.filter(pl.col("c_mktsegment") == "BUILDING")
    open_orders = orders.filter(pl.col("o_orderdate") < date(1995, 3, 15)).join(building, left_on="o_custkey", right_on="c_custkey")
    lines = item.filter(pl.col("l_shipdate") > date(1995, 3, 15)).join(open_orders, left_on="l_orderkey", right_on="o_orderkey")
    price, disc = (pl.col(c).cast(pl.Float64) for c in ("l_extendedprice", "l_discount"))
    groups = lines.group_by("l_orderkey", "o_orderdate", "o_shippriority").agg(revenue=(price * (1 - disc)).sum())
    best = groups.sort("revenue", "o_orderdate", "l_orderkey", descending=[True, False, False]).head(10)
    best.sink_parquet(f"{out}/result.parquet", compression="snappy", engine="streaming")
