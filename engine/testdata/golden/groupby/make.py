"""Makes the input and what DuckDB says of its groups: python3 make.py, in this directory.

cases.txt gets a line a case: its name, a tab, the table, a tab, the groupby as a job has it. NAME.parquet is DuckDB's
answer, by the keys, nulls last.
"""
import glob
import os

import duckdb

for old in glob.glob("*.parquet"):
    os.remove(old)
db = duckdb.connect()
db.execute("set threads = 1")
db.execute("""
create table t(id integer, k bigint, f double, s varchar, x double, y double, i bigint, d decimal(9, 2), b boolean, day date);
insert into t values
  (0, 1, 0.0, 'a', 1.5, 2.0, 3, 1.10, true, '2020-01-05'), (1, 1, -0.0, 'b', 2.5, 4.0, 1, 2.25, false, '2020-01-01'),
  (2, 2, 'nan', null, 4.0, 4.5, 1, 2.25, true, '2020-01-03'), (3, null, null, 'a', 8.25, -1.0, 2, null, null, null),
  (4, 5, 1.5, '', null, 3.0, 3, 7.00, true, '2019-12-31'), (5, null, 'nan', null, 6.0, null, 2, -4.5, false, '2020-02-29'),
  (6, 1, 2.5, 'a rather long text that lies outside of a row', 1000000001.0, 4.0, null, 1.10, true, '2020-01-01'),
  (7, 1, 'inf', 'a', 1000000002.0, 4.0, 9223372036854775807, 0.00, true, '2020-01-02'),
  (8, 2, 1.5, 'b', 1000000003.0, -4.5, 5, 9999999.99, false, null), (9, 1, 'nan', 'b', 3.0, 7.5, 1, 3.33, null, '1960-06-06'),
  (10, 1, '-inf', 'b', null, 1.0, 1, null, null, '2020-01-05'), (11, 9, null, null, null, null, null, null, null, null),
  (12, null, 7.0, 'c', 8.25, 8.0, 7, 1.00, false, '2020-01-05'), (13, 2, 3.5, 'b', 4.0, 4.5, 1, 5.00, null, '2020-01-03');
create table e as select * from t limit 0;
""")
for t in "te":
    db.execute(f"copy {t} to '{t}.parquet' (format parquet)")

cases = []


def case(name, table, keys, aggs):
    """aggs are pairs of an aggregate as jobs write it and as DuckDB does, the same where there is one."""
    select, agg = list(keys), []
    for n, a in enumerate(aggs):
        ours, theirs = a if isinstance(a, tuple) else (a, a)
        select.append(f"{theirs} as a{n}")
        agg.append(f'a{n}: "{ours}"')
    by = ", ".join(keys)
    group = f" group by {by} order by {', '.join(k + ' nulls last' for k in keys)}" if keys else ""
    db.execute(f"copy (select {', '.join(select)} from {table}{group}) to '{name}.parquet' (format parquet)")
    cases.append(f"{name}\t{table}\tgroupby: {{by: [{by}], agg: {{{', '.join(agg)}}}}}\n")


def pairs(*calls):
    """A filter is one more case of every aggregate."""
    out = []
    for ours, theirs in calls:
        out += [(ours, theirs), (ours + " filter (where id % 3 > 0)", theirs + " filter (where id % 3 > 0)")]
    return out


moments = pairs(("var(x)", "var_samp(x)"), ("std(y)", "stddev_samp(y)"), ("var(id)", "var_samp(id)"), ("cov(x, y)", "covar_samp(x, y)"),
                ("corr(x, y)", "corr(x, y)"), ("cov(id, y)", "covar_samp(id, y)"), ("std(d)", "stddev_samp(d::double)"))
conditions = pairs(("any(b)", "bool_or(b)"), ("all(b)", "bool_and(b)"), ("any(y > 4)", "bool_or(y > 4)"))
edges = []
for y in ["i", "f", "s", "d", "b", "day", "x"]:
    for x in ["id", "s", "d"]:
        for fn in ["arg_min", "arg_max"]:
            edges += pairs((f"{fn}({x}, {y})", f"{fn}({x}, {y})"))
numbers = []
for x in ["f", "x", "i", "id"]:
    numbers += pairs((f"median({x})", f"median({x})"), (f"quantile_cont({x}, 0.3)", f"quantile_cont({x}, 0.3)"))
values = []
for x in ["f", "s", "i", "d", "b", "day", "x"]:
    values += pairs((f"nunique({x})", f"count(distinct {x})"))
    for q in ["0", "0.25", "0.5", "0.9", "1"]:
        values += pairs((f"quantile({x}, {q})", f"quantile_disc({x}, {q})"))
modes = pairs(*((f"mode({x})", f"mode({x})") for x in ["f", "s", "i", "d", "b", "day", "x"]))
# Of a few values the approximate ones are exact: there are as many registers, and as many buckets, as values.
approx = []
for x in ["f", "s", "i", "d", "b", "day", "y", "id"]:
    approx += pairs((f"approx_nunique({x})", f"count(distinct {x})"))
    for q in ["0", "0.25", "0.5", "0.9", "1"]:
        approx += pairs((f"approx_quantile({x}, {q})", f"quantile_disc({x}, {q})"))
texts = []
for x in ["s", "id", "i", "d", "b", "day", "y"]:
    for sep in ["", ", ", "''"]:
        texts += pairs((f"string_agg({x}, '{sep}')", f"string_agg({x}, '{sep}' order by id)"))
lists = []
for x in ["f", "s", "i", "d", "b", "day", "y", "id"]:
    lists += pairs((f"list({x})", f"list({x} order by id)"))
    for n in [1, 2, 16, 17]:
        lists += pairs((f"top({x}, {n})", f"max({x}, {n})"))
for name, aggs in [("moments", moments), ("conditions", conditions), ("edges", edges), ("numbers", numbers), ("values", values), ("modes", modes),
                   ("approx", approx), ("texts", texts), ("lists", lists)]:
    for table, of in [("t", ""), ("e", "_empty")]:
        for keys, by in [(["k"], "int"), (["f"], "float"), (["s", "b"], "two"), ([], "all")]:
            case(f"{name}_{by}{of}", table, keys, aggs)
with open("cases.txt", "w") as f:
    f.writelines(cases)
