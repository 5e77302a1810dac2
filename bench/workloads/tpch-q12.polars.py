from datetime import date

import polars as pl


def run(tables, out):
    ship, commit, receipt = (pl.col(f"l_{c}date") for c in ("ship", "commit", "receipt"))
    item = pl.scan_parquet(tables["lineitem"]).filter(
        pl.col("l_shipmode").is_in(["MAIL", "SHIP"]) & (commit < receipt) & (ship < commit)
        & (receipt >= date(1994, 1, 1)) & (receipt < date(1995, 1, 1)))
    orders = pl.scan_parquet(tables["orders"])
    high = pl.col("o_orderpriority").is_in(["1-URGENT", "2-HIGH"])
    sums = item.join(orders, left_on="l_orderkey", right_on="o_orderkey").group_by("l_shipmode").agg(high=high.sum(), low=(~high).sum())
    sums.sink_parquet(f"{out}/result.parquet", compression="snappy", engine="streaming")
