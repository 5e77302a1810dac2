"""Makes the inputs and what DuckDB and pandas say of window, distinct and union: python3 make.py, in this directory.

cases.txt gets a line a case: its name, "ordered" or "set", its input, and the verb as a job has it, with tabs between. NAME.parquet is the
answer; of ordered ones in the order that the job gives.
"""
import glob
import os
import random

import duckdb

for old in glob.glob("*.parquet"):
    os.remove(old)
r = random.Random(5)
db = duckdb.connect()
db.execute("create table l(id bigint, k varchar, t integer, x bigint, f double, d decimal(9, 2), s varchar)")
for i in range(90):
    def maybe(v, p=0.2):
        return None if r.random() < p else v
    db.execute("insert into l values (?, ?, ?, ?, ?, ?, ?)", [
        i, r.choice(["a", "b", "c", None]) if i < 60 else "a", maybe(r.randrange(12), 0.1), maybe(r.randrange(-50, 50)),
        maybe(r.choice([0.1, 0.2, 0.3, -1.5, 1e16, -1e16, 2.5])), maybe(r.randrange(-99999, 99999) / 100), maybe(r.choice(["u", "vv", "www"]))])
db.execute("create table m as select id + 1000 as id, k, t::bigint as t, f::float as f, s as extra, d::decimal(12, 4) as d from l where id % 3 = 0")
db.execute("create table e as select * from l limit 0")
for t in "lme":
    db.execute(f"copy {t} to '{t}.parquet' (format parquet)")
cases = []


def case(name, kind, source, verb, sql):
    db.execute(f"copy ({sql}) to '{name}.parquet' (format parquet)")
    cases.append(f"{name}\t{kind}\t{source}\t{verb}\n")


def window(name, columns, by="k", order="t", source="l"):
    """columns is name: (ours, DuckDB's with {w} for the window's partition and order, {p} for the partition)."""
    part = f"partition by {by}" if by else ""
    total = ", ".join([c for c in [by, order and f"{order} nulls last", "id"] if c])
    w = f"{part} order by {order + ' nulls last, ' if order else ''}id"
    sql = ", ".join(f"{sql.format(w=w, p=part, o=f'{part} order by {order} nulls last')} as {c}" for c, (_, sql) in columns.items())
    ours = ", ".join(f'{c}: "{o}"' for c, (o, _) in columns.items())
    options = [f"columns: {{{ours}}}"] + ([f"by: {by}"] if by else []) + ([f"order_by: {order}"] if order else [])
    case(name, "ordered", source, f"window: {{{', '.join(options)}}}", f"select *, {sql} from {source} order by {total.replace(by or ' ', (by or ' ') + ' nulls last', 1) if by else total}")


rows = "rows between unbounded preceding and current row"
shifts = {
    "a": ("lag(x)", "lag(x, 1) over ({w})"), "b": ("lead(s, 2)", "lead(s, 2) over ({w})"), "c": ("diff(x, 2)", "x - lag(x, 2) over ({w})"),
    "e": ("pct_change(f)", "f / lag(f, 1) over ({w}) - 1"), "g": ("lag(x * 2, -1)", "lead(x * 2, 1) over ({w})"),
    "h": ("lag(x, 2, -7)", "lag(x, 2, -7) over ({w})"), "i": ("lead(f, 1, x)", "lead(f, 1, x) over ({w})"), "j": ("lead(s, 3, s || '!')", "lead(s, 3, s || '!') over ({w})"),
}
ranks = {
    "a": ("row_number()", "row_number() over ({w})"), "b": ("rank()", "rank() over ({o})"), "c": ("dense_rank()", "dense_rank() over ({o})"),
    "e": ("cumcount()", "row_number() over ({w}) - 1"),
}
sums = {
    "a": ("cumsum(x)", f"case when x is not null then sum(x) over ({{w}} {rows})::bigint end"),
    "b": ("cumsum(d)", f"case when d is not null then sum(d) over ({{w}} {rows}) end"),
    "c": ("cummin(x)", f"case when x is not null then min(x) over ({{w}} {rows}) end"),
    "e": ("cummax(s)", f"case when s is not null then max(s) over ({{w}} {rows}) end"),
    "g": ("ffill(s)", f"last_value(s ignore nulls) over ({{w}} {rows})"),
    "h": ("bfill(x)", "first_value(x ignore nulls) over ({w} rows between current row and unbounded following)"),
    "i": ("first(x)", f"first_value(x) over ({{w}} {rows})"),
    "j": ("last(f)", "last_value(f) over ({w} rows between unbounded preceding and unbounded following)"),
}
whole = {
    "a": ("sum(x)", "sum(x) over ({p})::bigint"), "b": ("mean(x)", "avg(x) over ({p})"), "c": ("min(s)", "min(s) over ({p})"),
    "e": ("max(d)", "max(d) over ({p})"), "g": ("count()", "count(*) over ({p})"), "h": ("count(x)", "count(x) over ({p})"),
    "i": ("sum(d)", "sum(d) over ({p})"),
}


def rolling(fn, x, n, cast=""):
    over = f"over ({{w}} rows between {n - 1} preceding and current row)"
    return f"case when count({x}) {over} = {n} then {fn}({x}) {over}{cast} end"


rolled = {
    "a": ("rolling_sum(x, 3)", rolling("sum", "x", 3, "::bigint")), "b": ("rolling_mean(x, 2)", rolling("avg", "x", 2)),
    "c": ("rolling_min(s, 2)", rolling("min", "s", 2)), "e": ("rolling_max(x, 4)", rolling("max", "x", 4)),
    "g": ("rolling_std(x, 3)", rolling("stddev_samp", "x", 3)), "h": ("rolling_sum(d, 2)", rolling("sum", "d", 2)),
    "i": ("rolling_std(x, 1)", "null::double"),
}
for name, cols in [("shifts", shifts), ("ranks", ranks), ("sums", sums), ("whole", whole), ("rolled", rolled)]:
    window(name, cols)
    window(name + "_table", cols, by=None)
    window(name + "_empty", cols, source="e")

frame = db.execute("select * from l order by k nulls last, t nulls last, id").df()
frame["a"] = frame.groupby("k", dropna=False, sort=False)["x"].transform(lambda c: c.astype("float64").ewm(alpha=0.3).mean())
frame["b"] = frame.groupby("k", dropna=False, sort=False)["x"].cumcount()
columns = "l.*, case when isnan(a) then null else a end as a, b::bigint as b"
case("weighted", "ordered", "l", 'window: {by: k, order_by: t, columns: {a: "ewm_mean(x, 0.3)", b: "cumcount(x)"}}',
     f"select {columns} from l join (select id, a, b from frame) using (id) order by k nulls last, t nulls last, id")

case("distinct_all", "set", "m", "distinct: all", "select distinct * from m")
case("distinct_list", "set", "l", "distinct: [k, t]", "select l.* from l where id in (select min(id) from l group by k, t)")
case("distinct_last", "set", "l", "distinct: {by: k, keep: last}", "select l.* from l where id in (select max(id) from l group by k)")
case("distinct_none", "set", "e", "distinct: [k]", "select * from e")
case("union_names", "ordered", "l", "union: [m, l]",
     "select * exclude (o, i) from (select *, 0 as o, id as i from l union all by name select * replace (f::double as f), 1 as o, id as i from m "
     "union all by name select *, 2 as o, id as i from l) order by o, i")
with open("cases.txt", "w") as f:
    f.writelines(cases)
