"""Makes tables with a column of each type and what DuckDB says of every operator over it: python3 make.py, in this directory.

t.parquet and u.parquet (the right side) have id, g and a column of each type, written by pyarrow; t96.parquet and u96.parquet one of
INT96. pipelines.txt gets a line a case: its name, "ordered" or "set", and the verbs over the table t of (id, g, v), with tabs between.
answers.txt gets, for each case and the types that agree on it, the types and the rows, cells with commas: a number or a text, a null as
"-", @7 for the value that v has in the row with the id 7, of t or u. So an answer holds no value of a type that DuckDB lacks (float16,
bytes of a fixed number, times of milliseconds): it orders what it reads of them, and the value is the one in pyarrow's file.
"""
import collections
import datetime
import decimal
import math

import duckdb
import numpy
import pyarrow as pa
import pyarrow.parquet as pq

DAY = 86_400


def scaled(digits):
    """Seven decimals of so many digits, in order."""
    top = 10**digits - 1
    return [decimal.Decimal(v).scaleb(-scale(digits), decimal.Context(prec=50)) for v in (-top, -top + 1, -7, 0, 5, top - 1, top)]


def scale(digits):
    return {9: 2, 18: 6, 38: 10}[digits]


def whole(bits, signed):
    lo, hi = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return [lo, lo + 1, 3 if not signed else -3, 5, 7, hi - 1, hi]


def floats(t, top, tiny):
    return pa.array([None], t).type, [-math.inf, -top, -0.0, 0.0, tiny, 1.5, math.inf, math.nan]


def ticks(t, per_second, tick=1):
    """Times of a day, or moments from the year 1700 to 2200."""
    if pa.types.is_time(t):
        return t, [0, 1, per_second, 3600 * per_second, DAY // 2 * per_second, DAY * per_second - 2, DAY * per_second - 1]
    return t, [-8_000_000_000 * per_second, -2 * per_second, -tick, 0, tick, 1_700_000_000 * per_second + tick, 7_258_118_400 * per_second - tick]


# The name of a column, pyarrow's type and its values in order: seven, so that most answers are of many types.
TYPES = {
    "bool": (pa.bool_(), [False, True]),
    **{f"int{n}": (pa.type_for_alias(f"int{n}"), whole(n, True)) for n in (8, 16, 32, 64)},
    **{f"uint{n}": (pa.type_for_alias(f"uint{n}"), whole(n, False)) for n in (8, 16, 32, 64)},
    "float16": floats(pa.float16(), 65504.0, 2.0**-24), "float32": floats(pa.float32(), 2.0**127, 2.0**-149), "float64": floats(pa.float64(), 1.7e308, 5e-324),
    **{f"decimal{n}": (pa.decimal128(n, scale(n)), scaled(n)) for n in (9, 18, 38)},
    "string": (pa.string(), ["", "a", "a\x00", "pp", "pp and so long that it lies outside of a row 1", "pp and so long that it lies outside of a row 2", "é"]),
    "binary": (pa.binary(), [b"", b"\x00", b"\x00\x00", b"a", b"a long value that lies outside of a row \xfe", b"a long value that lies outside of a row \xff", b"\xff"]),
    "fixed": (pa.binary(3), [b"\x00\x00\x00", b"\x00\x00\x01", b"abb", b"abc", b"abd", b"\xff\xff\xfe", b"\xff\xff\xff"]),
    "uuid": (pa.uuid(), [b"\x00" * 16, b"\x00" * 15 + b"\x01", b"a" * 15 + b"b", b"\x7f" * 16, b"\x80" * 16, b"\xff" * 15 + b"\xfe", b"\xff" * 16]),
    "date": (pa.date32(), [-719162, -1, 0, 1, 19000, 19001, 2932896]),
    "time_ms": ticks(pa.time32("ms"), 10**3), "time_us": ticks(pa.time64("us"), 10**6), "time_ns": ticks(pa.time64("ns"), 10**9),
    **{f"timestamp_{u}{'_utc' if z else ''}": ticks(pa.timestamp(u, z), n) for u, n in (("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)) for z in (None, "UTC")},
    "int96": ticks(pa.timestamp("ns"), 10**9, 1000),  # DuckDB reads microseconds
}
# Nested types, which are no keys: they travel with the rows.
NESTED = {
    "list": (pa.list_(pa.int64()), [[], [None], [1], [1, None, -(1 << 63)], [2] * 9, [3], [4]]),
    "struct": (pa.struct({"a": pa.int32(), "b": pa.string(), "c": pa.list_(pa.decimal128(30, 4))}),
               [{"a": 1, "b": "x", "c": None}, {"a": None, "b": None, "c": []}, {"a": 2, "b": "", "c": [decimal.Decimal("1.5")]}, {"a": 3, "b": "é", "c": [None]},
                {"a": 4, "b": "long enough to lie outside of a row", "c": None}, {"a": 5, "b": "y", "c": []}, {"a": 6, "b": None, "c": [decimal.Decimal(7)]}]),
    "map": (pa.map_(pa.string(), pa.list_(pa.struct({"d": pa.date32(), "t": pa.timestamp("us", "UTC"), "f": pa.float32()}))),
            [[], [("a", None)], [("a", []), ("b", [None])], [("", [{"d": None, "t": None, "f": math.nan}])], [("k", [{"d": datetime.date(2024, 2, 29), "t": None, "f": -0.0}] * 3)],
             [("x", None)], [("y", [])]]),
}
CARRIED = ["lag", "payload", "union", "union_nulls", "backwards", "ends", "filled"]
NUMBERS = [n for n in TYPES if n.startswith(("int", "uint", "float", "decimal")) and n != "int96"]


def column(t, values, rows):
    """A column of the values at the positions; None where there is none."""
    cells = [None if i is None else values[i % len(values)] for i in rows]
    if t == pa.float16():
        cells = [None if v is None else numpy.float16(v) for v in cells]
    if pa.types.is_date32(t):
        return pa.array(cells, pa.int32()).cast(t)
    if pa.types.is_timestamp(t) or pa.types.is_time(t):
        return pa.array(cells, pa.int32() if t.bit_width == 32 else pa.int64()).cast(t)
    if t == pa.uuid():
        return pa.ExtensionArray.from_storage(t, pa.array(cells, pa.binary(16)))
    return pa.array(cells, t)


def table(first, n, step, old):
    """Every fifth value is null, and so are all of group 4."""
    ids = range(first, first + n)
    groups = [4 if i % 11 == 10 else (i * i + i // 7) % 4 for i in ids]
    rows = [None if i % 5 == 3 or g == 4 else i * step + i // 3 for i, g in zip(ids, groups)]
    cols = {"id": pa.array(ids, pa.int64()), "g": pa.array(groups, pa.int32())}
    cols |= {name: column(t, values, rows) for name, (t, values) in {**TYPES, **NESTED}.items() if (name == "int96") == old}
    return pa.table(cols)


db = duckdb.connect()
db.execute("set threads = 1; set TimeZone = 'UTC'; set disabled_optimizers = 'statistics_propagation,filter_pushdown'")
for name, first, n, step in (("t", 0, 33, 7), ("u", 100, 17, 5)):
    pq.write_table(table(first, n, step, False), f"{name}.parquet", row_group_size=13, compression="zstd")
    pq.write_table(table(first, n, step, True), f"{name}96.parquet", row_group_size=13, use_deprecated_int96_timestamps=True)

# Of each case: ordered or set, our verbs, DuckDB's query, and which of its columns are ids whose values are meant.
last = "rows between unbounded preceding and current row"
CASES = {
    "index": ("ordered", ["index: v"], "select id, g, id from t order by v nulls last, id", [2]),
    "index_desc": ("ordered", ["index: {by: [v desc, id desc], nulls: first}"], "select id, g, id from t order by v desc nulls first, id desc", [2]),
    "unique": ("set", ["distinct: [v]"], "select min(id), arg_min(g, id), min(id) from t group by v", [2]),
    "same": ("set", ["select: [v]", "distinct: all"], "select min(id) from t group by v", [0]),
    "lag": ("ordered", ["lag: {column: v, by: g, order_by: id, periods: [1, -2]}"],
            "select id, g, id, lag(id) over w, lead(id, 2) over w from t window w as (partition by g order by id) order by g, id", [2, 3, 4]),
    "lag_by": ("ordered", ["lag: {column: id, by: v, order_by: id, periods: 1}"],
               "select id, g, id, lag(id) over (partition by v order by id) from t order by v nulls last, id", [2]),
    "groups": ("ordered", ["groupby: {by: v, agg: {n: count(), lo: min(id), hi: max(id), first: first(g), last: last(g)}}"],
               "select min(id), count(*), min(id), max(id), arg_min(g, id), arg_max(g, id) from t group by v order by v nulls last", [0]),
    "aggregates": ("ordered", ["groupby: {by: g, agg: {lo: min(v), hi: max(v), first: first(v), last: last(v), n: count(v), m: nunique(v), most: mode(v), at: \"arg_max(id, v)\"}}"],
                   "select g, arg_min(id, (v, id)) filter (v is not null), arg_max(id, (v, -id)) filter (v is not null), min(id), max(id), count(v), count(distinct v), "
                   "(select min(x.id) from t x where x.v = mode(t.v order by t.id)), arg_max(id, v order by id) from t group by g order by g", [1, 2, 3, 4, 7]),
    # More and wider groups than a small table holds.
    "pairs": ("ordered", ["join: {with: t, how: cross}", "groupby: {by: {id: id, v: v, to: id_right, pad: \"repeat('p', 800)\"}, sort: false, agg: {lo: min(v_right), m: count(v_right)}}",
                          "groupby: {by: id, agg: {v: first(v), lo: min(lo), hi: max(lo), m: sum(m)}}"],
              "select id, id, (select arg_min(id, (v, id)) from t where v is not null), (select arg_max(id, (v, -id)) from t where v is not null), (select count(v) from t) from t order by id", [1, 2, 3]),
    "inner": ("set", ["join: {with: u, on: v, how: inner}"], "select t.id, t.g, t.id, u.id, u.g from t join u on t.v = u.v", [2]),
    "outer": ("set", ["join: {with: u, on: v, how: outer, nulls: equal}"],
              "select t.id, t.g, coalesce(t.id, u.id), u.id, u.g from t full join u on t.v is not distinct from u.v", [2]),
    "anti": ("set", ["join: {with: u, on: v, how: anti}"], "select id, g, id from t where not exists (select 1 from u where u.v = t.v)", [2]),
    "payload": ("set", ["join: {with: u, on: g, how: left}"], "select t.id, t.g, t.id, u.id, u.id from t left join u on t.g = u.g", [2, 4]),
    "union": ("ordered", ["union: [u]"], "select id, g, id from (from t union all from u) order by id", [2]),
    "union_nulls": ("ordered", ["union: [bare]"], "select id, g, id from t union all select id, g, null from u order by 1", [2]),
    "window": ("ordered", ["window: {by: g, order_by: id, columns: {a: lead(v), b: first(v), c: last(v), d: ffill(v), e: cummax(v), f: min(v), h: count(v)}}"],
               f"select id, g, id, lead(id) over w, first_value(id) over w, last_value(id) over (partition by g order by id rows between unbounded preceding and unbounded following), "
               f"last_value(case when v is not null then id end ignore nulls) over (w {last}), case when v is not null then arg_max(id, (v, -id)) filter (v is not null) over (w {last}) end, "
               "arg_min(id, (v, id)) filter (v is not null) over (partition by g), count(v) over (partition by g) from t window w as (partition by g order by id) order by g, id", [2, 3, 4, 5, 6, 7, 8]),
    "ranks": ("ordered", ["window: {by: g, order_by: v, columns: {a: rank(), b: dense_rank()}}"],
              "select id, g, id, rank() over w, dense_rank() over w from t window w as (partition by g order by v nulls last) order by g, v nulls last, id", [2]),
    "backwards": ("ordered", ["index: [g desc, id desc]"], "select id, g, id from t order by g desc, id desc", [2]),
    "ends": ("ordered", ["groupby: {by: g, agg: {a: first(v), b: last(v), n: count(v)}}"], "select g, min(id), max(id), count(v) from t group by g order by g", [1, 2]),
    "filled": ("ordered", ["window: {by: g, order_by: id, columns: {a: lead(v), b: first(v), c: last(v), d: ffill(v)}}"],
               f"select id, g, id, lead(id) over w, first_value(id) over w, last_value(id) over (partition by g order by id rows between unbounded preceding and unbounded following), "
               f"last_value(case when v is not null then id end ignore nulls) over (w {last}) from t window w as (partition by g order by id) order by g, id", [2, 3, 4, 5, 6]),
    # NaN is near nothing here, as in pandas; DuckDB takes it for the greatest.
    "nearest": ("set", ["join: {with: once, how: asof, asof: {on: v, direction: backward}}"],
                "select t.id, t.g, t.id, u.id, u.g from (select id, g, {left} as v from t) t asof left join (select min(id) as id, arg_min(g, id) as g, v from u where v is not null{numbers} group by v) u on t.v >= u.v", [2]),
}
MIDDLE = "v > -100 and v < 100"  # whose sums are exact in a double
UNORDERED = ["bool", "string", "binary", "fixed", "uuid"]  # not for asof

answers = collections.defaultdict(list)


def cell(v, ref):
    if v is None:
        return "-"
    return f"@{v}" if ref else str(v)


for name in [*TYPES, *NESTED]:
    old = "96" if name == "int96" else ""
    for side in "tu":
        db.execute(f"create or replace table {side} as select id, g, \"{name}\" as v from read_parquet('{side}{old}.parquet') order by id")
    for case, (_, _, sql, refs) in CASES.items():
        if case == "nearest" and name in UNORDERED or name in NESTED and case not in CARRIED:
            continue
        sql = sql.replace("{left}", "nullif(v, 'nan')" if "float" in name else "v").replace("{numbers}", " and not isnan(v)" if "float" in name else "")
        rows = [",".join(cell(v, i in refs) for i, v in enumerate(row)) for row in db.execute(sql).fetchall()]
        answers[case, ";".join(rows)].append(name)
    if name in NUMBERS:
        sums = "sum(v)::varchar, avg(v)::double::varchar" if not name.startswith("float") else "sum(v::double)::varchar, avg(v::double)::varchar"
        rows = db.execute(f"select g, {sums} from t where {MIDDLE} group by g order by g").fetchall()
        answers["sums", ";".join(",".join(cell(v, False) for v in row) for row in rows)].append(name)

with open("pipelines.txt", "w") as f:
    for case, (order, verbs, _, _) in CASES.items():
        f.write("\t".join([case, order, *verbs]) + "\n")
    f.write('sums\tordered\twhere: "%s"\tgroupby: {by: g, agg: {sum: sum(v), mean: mean(v)}}\n' % MIDDLE)
with open("answers.txt", "w") as f:
    for (case, rows), names in answers.items():
        f.write(f"{case}\t{' '.join(names)}\t{rows}\n")
