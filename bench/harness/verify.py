"""verify.py WANT GOT SORTED_BY COLUMN...: whether two engines wrote the same rows; judged by DuckDB, any order of rows.

The columns (all, where none is named) must have the same names; rows, nulls and, of columns that neither side has as
floats, hashes must be equal. Floats (and decimals) are compared by their sums, ranges and by sums weighted with a
hash of the row's other columns, which sees values that moved to another row, all within TOLERANCE: engines add up
in different orders. NaN counts as null: pandas knows no other. SORTED_BY must not fall in the files' order, on
both sides. Prints {"equal": bool, "rows": n, "why": text}.
"""

import json
import math
import os
import sys

import duckdb
import pyarrow.parquet as pq

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import data  # noqa: E402

TOLERANCE = 1e-9
WEIGHTS = 1000  # rows are weighted with 1 to so much
EXACT = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "VARCHAR", "BOOLEAN", "DATE")


def source(directory):
    """A list column is two here: its length, and the sum of its elements, each times its place."""
    names = ", ".join("'" + f.replace("'", "''") + "'" for f in data.files(directory))
    files = f"read_parquet([{names}])"
    columns = []
    for name, kind, *_ in duckdb.sql(f"DESCRIBE SELECT * FROM {files}").fetchall():
        columns.append(f'"{name}"')
        if kind.endswith("[]"):
            total = f'list_sum(list_transform("{name}", lambda v, i: v::DOUBLE * i))'
            columns[-1] = f'len("{name}") AS "{name}: length", {total} AS "{name}: sum"'
    return f"(SELECT {', '.join(columns)} FROM {files})"


def types(directory):
    return {name: kind for name, kind, *_ in duckdb.sql(f"DESCRIBE SELECT * FROM {source(directory)}").fetchall()}


def exact(kind):
    """The type to hash a column as, or "" for one that is compared as a float. A timestamp may be a date elsewhere."""
    if kind.startswith("TIMESTAMP"):
        return "TIMESTAMP"
    if kind not in EXACT:
        return ""
    return {"VARCHAR": "VARCHAR", "BOOLEAN": "BIGINT", "DATE": "TIMESTAMP"}.get(kind, "HUGEINT")


def casts(want, got, columns):
    """For each column how both sides are read: a type to hash as, or DOUBLE."""
    out = {}
    for name in columns:
        a, b = exact(want[name]), exact(got[name])
        out[name] = a if a == b and a else "DOUBLE"
    return out


def fingerprint(directory, how):
    """Rows; then of each column its non-null values and a hash, or its float sums."""
    cells = ", ".join(f'{cell(name, kind)} AS "{name}"' for name, kind in how.items())
    keys = [f'"{name}"' for name, kind in how.items() if kind != "DOUBLE"]
    weight = f"hash({', '.join(keys)}) % {WEIGHTS} + 1" if keys else "1"
    aggregates, shape = ["count(*)"], []
    for name, kind in how.items():
        parts = floats(name) if kind == "DOUBLE" else [f'count("{name}")', f'sum(hash("{name}")::HUGEINT)']
        shape.append((name, len(parts)))
        aggregates += parts
    duckdb.sql("SET disabled_optimizers = 'statistics_propagation'")  # it takes no value of a file with bounds for NaN
    weighted = f"SELECT *, ({weight})::DOUBLE AS w FROM (SELECT {cells} FROM {source(directory)})"
    rows, *values = duckdb.sql(f"SELECT {', '.join(aggregates)} FROM ({weighted})").fetchall()[0]
    found = {}
    for name, n in shape:
        found[name], values = values[:n], values[n:]
    return rows, found


def cell(name, kind):
    if kind != "DOUBLE":
        return f'"{name}"::{kind}'
    return f"CASE WHEN isnan(\"{name}\"::DOUBLE) THEN NULL ELSE \"{name}\"::DOUBLE END"


def floats(name):
    finite = f'FILTER (isfinite("{name}"))'
    sums = [f'sum("{name}") {finite}', f'sum("{name}" * w) {finite}', f'min("{name}")', f'max("{name}")', f'sum(abs("{name}") * w) {finite}']
    return [f'count("{name}")', f'count(*) FILTER (isinf("{name}"))', *sums]


def differ(name, kind, want, got):
    """What is different in a column, or None."""
    if kind != "DOUBLE":
        return None if want == got else f"{name}: {got[0]} values, hash {got[1]}; not {want[0]}, {want[1]}"
    if want[:2] != got[:2]:
        return f"{name}: {got[0]} values, {got[1]} infinite; not {want[0]}, {want[1]}"
    scale = TOLERANCE * (want[6] or 0)
    small = scale / max(1, want[0]) / WEIGHTS  # a billionth of the mean: what is no more differs from zero by rounding
    for what, a, b, slack in zip(("sum", "weighted sum", "least", "most"), want[2:], got[2:], (scale, scale, small, small)):
        if a != b and not (a is not None and b is not None and math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=slack)):
            return f"{name}: {what} {b}, not {a}"
    return None


def ordered(directory, column):
    """The first file where the column falls, or None."""
    last = None
    for path in data.files(directory):
        for piece in pq.ParquetFile(path).iter_batches(columns=[column], batch_size=1 << 20):
            keys = piece.column(0).to_numpy(zero_copy_only=False)
            if len(keys) == 0:
                continue
            if (keys[1:] < keys[:-1]).any() or (last is not None and keys[0] < last):
                return path
            last = keys[-1]
    return None


def compare(want_dir, got_dir, sorted_by, columns):
    want, got = types(want_dir), types(got_dir)
    if not columns and sorted(want) != sorted(got):
        return 0, f"columns {sorted(got)}, not {sorted(want)}"
    if want_dir == got_dir:
        columns = [sorted_by]  # nobody to compare with: the order alone
    how = casts(want, got, columns or sorted(want))
    (rows, a), (found, b) = fingerprint(want_dir, how), fingerprint(got_dir, how)
    if rows != found:
        return rows, f"{found} rows, not {rows}"
    for name, kind in how.items():
        why = differ(name, kind, a[name], b[name])
        if why:
            return rows, why
    for directory in (want_dir, got_dir) if sorted_by else ():
        path = ordered(directory, sorted_by)
        if path:
            return rows, f"{path} is not in the order of {sorted_by}"
    return rows, ""


def main(want, got, sorted_by, *columns):
    rows, why = compare(want, got, sorted_by, list(columns))
    print(json.dumps({"equal": not why, "rows": rows, "why": why}))


if __name__ == "__main__":
    main(*sys.argv[1:])
