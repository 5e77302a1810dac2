"""Makes the inputs and what DuckDB says of their joins: python3 make.py, in this directory.

cases.txt gets a line a case: its name, a tab, the join as a job has it. NAME.parquet is DuckDB's answer, in no order.
"""
import glob
import os

import duckdb

for old in glob.glob("*.parquet"):
    os.remove(old)
db = duckdb.connect()
db.execute("""
create table l(id bigint, k bigint, f double, s varchar);
insert into l values
  (0, 1, 0.0, 'a'), (1, 1, -0.0, 'b'), (2, 2, 'nan', null), (3, null, null, 'a'), (4, 5, 1.5, ''), (5, null, 'nan', null),
  (6, 7, 2.5, 'long enough to lie outside of a row'), (7, 9223372036854775807, 'inf', 'a'), (8, 2, 1.5, 'b');
create table r(id bigint, k bigint, f double, s varchar, w integer, v varchar);
insert into r values
  (0, 1, -0.0, 'a', 1, 'x'), (1, 2, 'nan', 'b', 2, 'y'), (2, 2, 2.5, null, null, null), (3, null, null, null, 9, 'z'),
  (4, 8, 7.5, '', 5, 'x'), (5, null, 1.5, 'a', 7, 'y'), (6, 1, 0.0, 'c', 1, 'z'), (7, 9223372036854775807, '-inf', 'long enough to lie outside of a row', -1, '');
create table e as select * from r limit 0;
create table n as select * from l limit 0;
""")
for t in "lren":
    db.execute(f"copy {t} to '{t}.parquet' (format parquet)")

columns = {t: [c[0] for c in db.execute(f"describe {t}").fetchall()] for t in "lren"}
cases = []


def case(name, left, right, how, on, equal=False, indicator=False):
    """on is pairs of a left and a right column; none for a cross join."""
    sides = f"from {left} l {how if how not in ('semi', 'anti') else ''} join {right} r"
    if how == "outer":
        sides = f"from {left} l full outer join {right} r"
    cond = " and ".join(f"l.{a} is not distinct from r.{b}" if equal else f"l.{a} = r.{b}" for a, b in on)
    key = dict(on)
    cols = [f"coalesce(l.{c}, r.{key[c]}) as {c}" if c in key and how in ("right", "outer") else f"l.{c}" for c in columns[left]]
    if how in ("semi", "anti"):
        where = f"{'not ' if how == 'anti' else ''}exists (select 1 from {right} r where {cond})"
        sql = f"select {', '.join(cols)} from {left} l where {where}"
    else:
        cols += [f"r.{c} as {c}{'_right' if c in columns[left] else ''}" for c in columns[right] if c not in key.values()]
        if indicator:
            cols.append("case when r.id is null then 'left_only' when l.id is null then 'right_only' else 'both' end as side")
        sql = f"select {', '.join(cols)} {sides}" + (f" on {cond}" if on else "")
    db.execute(f"copy ({sql}) to '{name}.parquet' (format parquet)")
    options = [f"with: {right}", f"how: {how}"]
    if on:
        options.append("on: {" + ", ".join(f"{a}: {b}" for a, b in on) + "}")
    if equal:
        options.append("nulls: equal")
    if indicator:
        options.append("indicator: side")
    cases.append(f"{name}\t{left}\tjoin: {{{', '.join(options)}}}\n")


for how in ["left", "inner", "right", "outer", "semi", "anti"]:
    case(f"{how}_int", "l", "r", how, [("k", "k")])
    case(f"{how}_float", "l", "r", how, [("f", "f")])
    case(f"{how}_text_nulls", "l", "r", how, [("s", "s")], equal=True)
    case(f"{how}_two", "l", "r", how, [("k", "k"), ("s", "s")])
    case(f"{how}_two_nulls", "l", "r", how, [("k", "k"), ("f", "f")], equal=True)
    case(f"{how}_widened", "l", "r", how, [("k", "w")])
    case(f"{how}_no_right", "l", "e", how, [("k", "k")])
    case(f"{how}_no_left", "n", "r", how, [("k", "k")])
    if how not in ("semi", "anti"):
        case(f"{how}_side", "l", "r", how, [("k", "k")], indicator=True)
case("cross", "l", "r", "cross", [])
case("cross_none", "l", "e", "cross", [])
open("cases.txt", "w").writelines(cases)
