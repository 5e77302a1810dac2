"""export_equals.py PQJOIN DIR: every job DIR/*/job.yaml gives the same in DuckDB, as pqjoin exports it, as in pqjoin.

Outputs go to the folder out beside the job. Floats are compared within a few units of the last place of what was
summed; rows in order where the SQL orders them, else as sets. A job that export refuses by name is counted, and so
is one that fails in pqjoin: its SQL need not say anything.
"""

import collections
import glob
import math
import os
import re
import shutil
import subprocess
import sys
import urllib.parse

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

RELATIVE = 1e-9  # of floats


def natural(path):
    return [int(p) if p.isdigit() else p for p in re.split(r"(\d+)", path)]


def read(path):
    """The columns of an output as lists of plain values."""
    files = sorted(glob.glob(glob.escape(path) + "/**/*.*", recursive=True), key=natural) if os.path.isdir(path) else [path]
    files = [f for f in files if os.path.isfile(f)]
    if not files:  # of partitions: a table without rows has none
        return None
    hive = os.path.isdir(path) and os.path.dirname(files[0]) != path
    if hive and files[0].endswith(".parquet"):
        table = duckdb.sql("FROM read_parquet($1, hive_partitioning = true, hive_types_autocast = false)", params=[files]).to_arrow_table()
    elif files[0].endswith(".parquet"):
        table = pa.concat_tables([pq.read_table(f, partitioning=None) for f in files])
    elif ".json" in files[0]:
        table = duckdb.sql(f"FROM read_json($1, format = 'newline_delimited', hive_partitioning = {hive})", params=[files]).to_arrow_table()
    else:
        options = {"header": True, "all_varchar": True, "sep": "\t" if ".tsv" in files[0] else ","}
        table = pa.concat_tables([duckdb.read_csv(f, hive_partitioning=hive, **options).to_arrow_table() for f in files])
    return [urllib.parse.unquote(n) if hive else n for n in table.column_names], [values(table[i]) for i in range(table.num_columns)]


def values(column):
    t = column.type
    if pa.types.is_timestamp(t):
        column = column.cast(pa.timestamp("ns", t.tz)).cast(pa.int64())
    elif pa.types.is_time(t):
        column = column.cast(pa.time64("ns")).cast(pa.int64())
    elif pa.types.is_decimal(t):
        return [None if v is None else v.normalize() for v in column.to_pylist()]
    elif pa.types.is_fixed_size_binary(t):
        column = column.cast(pa.binary())
    return [bytes(v) if isinstance(v, (bytes, bytearray)) else getattr(v, "bytes", v) for v in column.to_pylist()]


def text_value(s):
    """What a field of text means: times and numbers are written in several ways."""
    if not isinstance(s, str):
        return s
    m = re.fullmatch(r"(-?\d{4,}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d+)?)(Z|\+00)?", s)
    if m:
        return m[1] + " " + (m[2].rstrip("0").rstrip(".") if "." in m[2] else m[2])
    s = re.sub(r"^(\d\d:\d\d:\d\d(?:\.\d+)?)\+00$", r"\1", s)
    try:
        return float(s)
    except ValueError:
        return s


def same(a, b, scale):
    if a is None or b is None:
        return a is None and b is None
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(same(u, v, scale) for u, v in zip(a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(same(a[k], b[k], scale) for k in a)
    if isinstance(a, float) or isinstance(b, float):
        if a == b or (a != a and b != b):
            return True
        return isinstance(a, (int, float)) and isinstance(b, (int, float)) and math.isfinite(a) and math.isfinite(b) and abs(a - b) <= RELATIVE * max(abs(a), abs(b), scale)
    return a == b


def greatest(column):
    return max([abs(v) for v in column if isinstance(v, float) and math.isfinite(v)], default=0)


def key(row):
    out = []
    for v in row:
        if isinstance(v, float):
            v = "nan" if v != v else "%.6g" % (v + 0.0)
        out.append((v is not None, str(type(v)), str(v)))
    return out


def compare(want, got, ordered, products=None):
    """products is the answer with the product of two deviations for each covariance, which tells how great a rounding error may be."""
    if want is None or got is None:
        return None if not (want and want[1][0]) and not (got and got[1][0]) else "rows in one of the two alone"
    names, a = want
    others, b = got
    if names != others:
        return f"columns {others}, want {names}"
    rows, more = list(zip(*a)), list(zip(*b))
    if len(rows) != len(more):
        return f"{len(more)} rows, want {len(rows)}"
    scale = [greatest(c) * 1e-3 for c in a]
    if products:
        scale = [max(s, greatest(c) * 1e-3) for s, c in zip(scale, products[1])]
    if not ordered:
        rows, more = sorted(rows, key=key), sorted(more, key=key)
    for i, (x, y) in enumerate(zip(rows, more)):
        for name, s, u, v in zip(names, scale, x, y):
            if not same(u, v, s):
                return f"row {i}, column {name}: {v!r}, want {u!r}\n   got {y}\n  want {x}"
    return None


def outputs(sql):
    """The paths that the script writes, and whether in order."""
    found = {}
    for m in re.finditer(r"^COPY \((.*?)\)\nTO '((?:[^']|'')*)' \(", sql, re.S | re.M):
        found[m[2].replace("''", "'")] = " ORDER BY " in m[1] and "PARTITION_BY" not in sql[m.end() :].split(";")[0]
    return found


def name_by_content(folder):
    """Gives compressed text the extension that DuckDB goes by; pqjoin looks into the file."""
    for f in [f for ext in ("csv", "tsv", "jsonl") for f in glob.glob(glob.escape(folder) + "/in/**/*." + ext, recursive=True)]:
        with open(f, "rb") as file:
            magic = file.read(4)
        ext = ".gz" if magic[:2] == b"\x1f\x8b" else ".zst" if magic == b"\x28\xb5\x2f\xfd" else ""
        os.rename(f, f + ext)


def kept(path):
    """Where pqjoin's own output goes."""
    return os.path.join(os.path.dirname(path), "pqjoin-" + os.path.basename(path))


def clear(path, like):
    """Makes room for an output: an empty folder where the one like it is a folder."""
    if os.path.isdir(path):
        shutil.rmtree(path)
    elif os.path.exists(path):
        os.remove(path)
    os.makedirs(path if os.path.isdir(like) else os.path.dirname(path), exist_ok=True)


def execute(sql):
    con = duckdb.connect()
    try:
        con.execute("SET threads = 2")
        con.execute(sql)
    finally:
        con.close()


def check(pqjoin, folder):
    name_by_content(folder)
    job, out = folder + "/job.yaml", folder + "/out"
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    export = subprocess.run([pqjoin, "export", job, "--to", "duckdb"], capture_output=True, text=True)
    run = subprocess.run([pqjoin, "run", job, "--mem", "512MB", "--progress", "none"], capture_output=True, text=True)
    if export.returncode:
        reason = re.search(r":\d+:\d+: (.*) cannot be exported to DuckDB", export.stderr)
        if not reason:
            return "wrong", export.stderr
        return "refused: " + re.sub(r'".*?"', "...", reason[1]), None
    if run.returncode:
        return "fails in pqjoin", None
    sql = export.stdout
    paths = {}
    for path, ordered in outputs(sql).items():
        os.makedirs(os.path.dirname(path), exist_ok=True)
        paths[os.path.dirname(path) if os.path.basename(path).startswith("part-") else path] = ordered
    for path in paths:
        os.rename(path, kept(path))
        clear(path, kept(path))
    products = {}
    try:
        if "covar_samp(" in sql:
            execute(re.sub(r'covar_samp\(("(?:[^"]|"")*"), ("(?:[^"]|"")*")\)', r"stddev_pop(\1) * stddev_pop(\2)", sql))
            for path in paths:
                products[path] = read(path)
                clear(path, kept(path))
        execute(sql)
    except duckdb.Error as e:
        return "wrong", f"DuckDB: {e}"
    for path, ordered in paths.items():
        ours = kept(path)
        want, got = read(ours), read(path)
        if want and got and not ours.endswith(".parquet") and not glob.glob(glob.escape(ours) + "/*.parquet"):  # text, or names of directories
            want, got = ((n, [[text_value(v) for v in c] for c in cols]) for n, cols in (want, got))
        if why := compare(want, got, ordered, products.get(path)):
            return "wrong", f"{path}{' in order' if ordered else ''}: {why}"
    return "same", None


def main(pqjoin, root):
    tally, wrong = collections.Counter(), 0
    for folder in sorted(glob.glob(glob.escape(root) + "/*/"), key=natural):
        kind, why = check(pqjoin, folder.rstrip("/"))
        tally[kind] += 1
        if why:
            print(f"{folder}: {why}")
            wrong += 1
    print(", ".join(f"{n} {k}" for k, n in tally.most_common()))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
