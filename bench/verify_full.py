"""verify_full.py count DATA ROWS: the seed's join over DATA makes ROWS rows, says DuckDB.
verify_full.py result DATA: DATA/result is the demo's job over DATA: rows, sums, means and order, says DuckDB.
"""

import glob
import re
import sys

import duckdb
import numpy as np
import pyarrow.parquet as pq


def count(data, rows):
    """The join's rows from the keys alone: the sum over keys of left times right, or left where there is none."""
    (want,) = one(f"""
        with l as (select col1, count(*) n from '{data}/test/*.parquet' group by 1),
             r as (select col1, count(*) n from '{data}/test2/*.parquet' group by 1)
        select sum(l.n * coalesce(r.n, 1)) from l left join r using (col1)""")
    assert int(want) == int(rows), f"{rows} rows counted, not {want}"
    print(f"DuckDB counts {int(want):,} rows too")


def one(sql):
    return duckdb.sql(sql).fetchall()[0]


def near(what, a, b):
    assert a == b or abs(a - b) <= 1e-9 * abs(a), f"{what}: {b}, not {a}"


def result(data):
    test, test2, res = (f"'{data}/{t}/*.parquet'" for t in ("test", "test2", "result"))
    rows, sum2, sum3, log3, least, most = one(f"select count(*), sum(col2), sum(col3), sum(ln(col3)), min(col1), max(col1) from {test}")
    got = one(f"select count(*), sum(col2), sum(col3), sum(col_0), count(col_0) from {res}")
    assert got[0] == rows == got[4] and got[1] == sum2, f"{got} of {rows} rows"
    near("sum of col3", sum3, got[2])
    near("sum of col_0", log3, got[3])
    assert (least, most) == one(f"select min(col1), max(col1) from {res}")
    lags(test, res, rows)
    means(test2, res)
    order(data, least)
    print(f"{data}/result is right: {rows:,} rows")


def lags(test, res, rows):
    """Lag k lacks the first k rows of every key, and no others."""
    counts = one(f"select count(col_1), count(col_2), count(col_3) from {res}")
    for k, got in enumerate(counts, 1):
        (lack,) = one(f"select sum(least(n, {k})) from (select count(*) n from {test} group by col1)")
        assert got == rows - lack, f"col_{k}: {got} values, not {rows - lack}"


def means(test2, res):
    """Every row has its key's mean and count."""
    wrong, far = one(f"""
        with m as (select col1, avg(col4) mean, count(*) n from {test2} group by 1)
        select count(*) filter (r.col4_rows is distinct from m.n),
               max(abs(r.col4_mean - m.mean) / abs(m.mean)) from {res} r left join m using (col1)""")
    assert wrong == 0 and (far or 0) < 1e-9, f"{wrong} counts differ, means by {far}"


def order(data, least):
    """Keys never fall, within files and from file to file; and a lag is the row before, within one key."""
    natural = lambda p: [int(x) if x.isdigit() else x for x in re.split(r"(\d+)", p)]
    last = None
    for name in sorted(glob.glob(f"{glob.escape(data)}/result/*.parquet"), key=natural):
        for batch in pq.ParquetFile(name).iter_batches(columns=["col1"]):
            keys = batch.column(0).to_numpy()
            assert (np.diff(keys) >= 0).all() and (last is None or keys[0] >= last), f"{name} is not in order"
            last = keys[-1]
    expect = stable(data, least)
    got = duckdb.sql(f"select col2, col_0, col_1, col_2, col_3 from '{data}/result/*.parquet' where col1 = {least}").to_df()
    assert got["col2"].tolist() == expect["col2"].tolist(), f"the rows of key {least} are not in the input's order"
    for k in range(4):
        off = (got[f"col_{k}"] - expect["log"].shift(k)).abs().max()
        assert off < 1e-12, f"col_{k} of key {least} is off by {off}"


def stable(data, key):
    """One key's rows in the input's order: files in natural order, rows in file order."""
    return duckdb.sql(f"""
        select col2, ln(col3) log from read_parquet('{data}/test/*.parquet', filename=true, file_row_number=true)
        where col1 = {key}
        order by cast(regexp_extract(filename, '([0-9]+)\\.parquet$', 1) as int), file_row_number""").to_df()


if __name__ == "__main__":
    {"count": count, "result": result}[sys.argv[1]](*sys.argv[2:])
