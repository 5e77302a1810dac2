"""Makes the inputs and what pandas.merge_asof and DuckDB's asof join say of them: python3 make.py, in this directory.

cases.txt gets a line a case: its name, a tab, the left table, a tab, the join as a job has it. NAME.parquet is the answer: of
DuckDB where it can (backward and forward), of pandas else; where both can, they must agree. Ties in the right table are pandas'
alone: DuckDB does not say which row it takes.
"""
import glob
import os

import duckdb
import numpy as np
import pandas as pd

for old in glob.glob("*.parquet"):
    os.remove(old)
rng = np.random.default_rng(7)
start = pd.Timestamp("2024-03-29 09:30:00")


def table(n, ties):
    t = pd.DataFrame({
        "id": np.arange(n),
        "sym": rng.choice(["a", "b", "c", "long enough to lie outside of a row"], n),
        "k": rng.integers(0, 3, n),
        "ts": start + pd.to_timedelta(rng.integers(0, 4_000, n) * 100_000, unit="us"),
        "i": rng.integers(-300, 300, n),
        "f": rng.choice([-np.inf, np.inf, -0.0, 0.0, 1.5, -2.25, 1e300] + list(np.round(rng.normal(0, 50, 200), 2)), n),
    })
    t["d"] = (pd.Timestamp("2023-12-01") + pd.to_timedelta(rng.integers(0, 400, n), unit="D"))
    t["p"] = np.round(rng.normal(100, 20, n), 1)
    if not ties:
        t["ts"] = start + pd.to_timedelta(rng.permutation(8 * n)[:n] * 100_000, unit="us")
        t["i"] = rng.permutation(np.arange(-4 * n, 4 * n))[:n]
        t["p"] = np.round(rng.permutation(2000)[:n] / 10, 1)
        t = t.drop_duplicates("f").drop_duplicates("d")
    return t


l, r, tied = table(300, True), table(200, False), table(260, True)
db = duckdb.connect()
columns = "id, sym, k, ts::timestamp as ts, i, f, d::date as d, p::decimal(9, 1) as p"
for name, t in [("l", l), ("r", r), ("tied", tied), ("none", r[:0])]:
    db.execute(f"create table {name} as select {columns} from t order by id")
    db.execute(f"copy (select * from {name} order by id) to '{name}.parquet' (format parquet)")
cases = []


def pandas_side(left, right, on, by, direction, tolerance):
    """The answer as (left id, right id or null)."""
    a = {"l": l}[left].sort_values(on, kind="stable")
    b = {"r": r, "tied": tied, "none": r[:0]}[right].sort_values(on, kind="stable")
    if on == "p":  # of decimals, in tenths
        a, b = (x.assign(p=np.round(x.p * 10).astype(int)).sort_values("p", kind="stable") for x in (a, b))
    m = pd.merge_asof(a[[*by, on, "id"]], b[[*by, on, "id"]].rename(columns={"id": "rid"}), on=on, by=by or None, direction=direction, tolerance=tolerance)
    return m[["id", "rid"]].astype({"rid": "Int64"})


def duckdb_side(left, right, on, by, direction, tolerance):
    cond = " and ".join([f"l.{b} = r.{b}" for b in by] + [f"l.{on} {'>=' if direction == 'backward' else '<='} r.{on}"])
    within = "true" if tolerance is None else f"abs(epoch_us(l.{on}) - epoch_us(r.{on})) <= {tolerance // pd.Timedelta('1us')}" \
        if isinstance(tolerance, pd.Timedelta) else f"(l.{on} = r.{on} or abs(l.{on} - r.{on}) <= {tolerance})"
    return db.execute(f"select l.id, case when {within} then r.id end as rid from {left} l asof left join {right} r on {cond}").df().astype({"rid": "Int64"})


def case(name, right, on, by=(), direction="backward", tolerance=None, written=None, form="by"):
    by = list(by)
    answer = pandas_side("l", right, on, by, direction, tolerance if on != "p" or tolerance is None else int(round(tolerance * 10)))
    if right != "tied" and direction != "nearest":
        got = duckdb_side("l", right, on, by, direction, tolerance)
        a, b = (x.sort_values("id").reset_index(drop=True) for x in (answer, got))
        pd.testing.assert_frame_equal(a, b, check_dtype=False, obj=name)
    db.execute("create or replace table want as select id, cast(rid as bigint) as rid from answer")
    kept = [c for c in ["id", "sym", "k", "ts", "i", "f", "d", "p"] if c != on and c not in by]
    cols = ", ".join(["l.*"] + [f"r.{c} as {c}_right" for c in kept])
    db.execute(f"copy (select {cols} from l left join want w on l.id = w.id left join {right} r on r.id = w.rid order by l.id) to '{name}.parquet' (format parquet)")
    options = [f"on: {on}"]
    outer = ""
    if by and form == "by":
        options.append(f"by: [{', '.join(by)}]")
    elif by:
        outer = f"on: [{', '.join(by)}], "
    if direction != "backward" or form != "by":
        options.append(f"direction: {direction}")
    if tolerance is not None:
        options.append(f"tolerance: {written if written is not None else tolerance}")
    cases.append(f"{name}\tl\tjoin: {{with: {right}, {outer}how: asof, asof: {{{', '.join(options)}}}}}\n")


for direction in ["backward", "forward", "nearest"]:
    case(f"{direction}_none", "none", "ts", ["sym"], direction)
    for right in ["r", "tied"]:
        case(f"{direction}_{right}_ts", right, "ts", direction=direction)
        case(f"{direction}_{right}_ts_by", right, "ts", ["sym"], direction)
        case(f"{direction}_{right}_int_by", right, "i", ["sym", "k"], direction, form="on")
        case(f"{direction}_{right}_float", right, "f", direction=direction)
        case(f"{direction}_{right}_decimal", right, "p", ["k"], direction)
        case(f"{direction}_{right}_date", right, "d", ["k"], direction)
    case(f"{direction}_within_ts", "tied", "ts", ["sym"], direction, pd.Timedelta("5s"), "5 seconds")
    case(f"{direction}_within_ms", "r", "ts", [], direction, pd.Timedelta("600ms"), "interval '600 milliseconds'")
    case(f"{direction}_within_int", "tied", "i", ["k"], direction, 3)
    case(f"{direction}_within_float", "r", "f", ["k"], direction, 2.5)
    case(f"{direction}_within_decimal", "tied", "p", ["k"], direction, 0.3)
    case(f"{direction}_within_date", "tied", "d", ["sym"], direction, pd.Timedelta("2D"), "2 days")
open("cases.txt", "w").writelines(cases)
