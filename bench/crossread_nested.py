"""crossread_nested.py PQJOIN DIR [SEED]: nested columns that pyarrow and Polars write to Arrow files and streams, of random types, go
through pqjoin to Arrow, Parquet and back, and are the same values for pyarrow. Tables are made in DIR."""

import datetime as dt
import decimal
import pathlib
import random
import subprocess
import sys

import polars as pl
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

LEAVES = [
    (pa.bool_(), lambda r: r.random() < 0.5),
    (pa.int8(), lambda r: r.randint(-128, 127)),
    (pa.uint16(), lambda r: r.randint(0, 65535)),
    (pa.int64(), lambda r: r.randint(-(2**63), 2**63 - 1)),
    (pa.uint64(), lambda r: r.randint(0, 2**64 - 1)),
    (pa.float32(), lambda r: r.randint(-1000, 1000) / 8),
    (pa.float64(), lambda r: r.random()),
    (pa.decimal128(12, 2), lambda r: decimal.Decimal(r.randint(-(10**9), 10**9)).scaleb(-2)),
    (pa.decimal128(38, 0), lambda r: decimal.Decimal(r.randint(-(10**37), 10**37))),
    (pa.string(), lambda r: "é" * r.randint(0, 9)),
    (pa.large_string(), lambda r: "l" * r.randint(0, 30)),
    (pa.string_view(), lambda r: "v" * r.randint(0, 30)),
    (pa.binary(), lambda r: bytes(r.randint(0, 5))),
    (pa.binary_view(), lambda r: bytes(r.randint(0, 20))),
    (pa.binary(4), lambda r: r.randbytes(4)),
    (pa.date32(), lambda r: dt.date(1970, 1, 1) + dt.timedelta(r.randint(-9999, 9999))),
    (pa.time32("ms"), lambda r: dt.time(r.randint(0, 23), 5, 1, 7000)),
    (pa.timestamp("us"), lambda r: dt.datetime(2000, 1, 1) + dt.timedelta(microseconds=r.randint(0, 10**15))),
    (pa.dictionary(pa.int16(), pa.string()), lambda r: "k%d" % r.randint(0, 9)),
    (pa.dictionary(pa.int8(), pa.int32()), lambda r: r.randint(0, 9)),
]


KINDS = ["list", "large", "view", "large view", "fixed", "map", "struct", "struct"]
# What Polars has too, as pyarrow has it.
POLARS = ["list", "struct"], [LEAVES[i] for i in (0, 1, 3, 6, 9, 15)]


def kind(r, depth, among=(KINDS, LEAVES), top=False):
    """A random type, and what makes its values."""
    kinds, leaves = among
    if depth == 0 or not top and r.random() < 0.35:
        return r.choice(leaves)
    of = r.choice(kinds)
    if of == "struct":
        parts = [kind(r, depth - 1, among) for _ in range(r.randint(1, 4))]
        names = ["f%d" % i for i in range(len(parts))]
        return pa.struct([pa.field(n, t) for n, (t, _) in zip(names, parts)]), lambda r: {n: maybe(r, v) for n, (_, v) in zip(names, parts)}
    t, value = kind(r, depth - 1, among)
    if of == "map":
        key, keys = r.choice(LEAVES[1:4] + LEAVES[9:10])
        return pa.map_(key, t), lambda r: [(keys(r), maybe(r, value)) for _ in range(length(r))]
    if of == "fixed":
        n = r.randint(0, 3)
        return pa.list_(t, n), lambda r: [maybe(r, value) for _ in range(n)]
    make = {"list": pa.list_, "large": pa.large_list, "view": pa.list_view, "large view": pa.large_list_view}[of]
    return make(t), lambda r: [maybe(r, value) for _ in range(length(r))]


def length(r):
    return r.choice([0, 1, 2, 3, 3, 5, 40]) if r.random() < 0.3 else r.randint(0, 3)


def maybe(r, value):
    return None if r.random() < 0.2 else value(r)


def plain(v):
    """A value without what only its Python form has."""
    if isinstance(v, dict):
        return {k: plain(x) for k, x in v.items()}
    if isinstance(v, (list, tuple)):
        return [plain(x) for x in v]
    return v


def same(want, got, what):
    got.validate(full=True)
    assert got.column_names == want.column_names and got.num_rows == want.num_rows, what
    for name in want.column_names:
        a, b = plain(want[name].to_pylist()), plain(got[name].to_pylist())
        at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), None)
        assert at is None, f"{what}: column {name} ({want[name].type}), row {at}: {b[at]!r}, not {a[at]!r}"


def run(pqjoin, folder, source):
    job = folder / "job.yaml"
    job.write_text(
        f"""inputs: {{t: {source.name}}}
tables:
  numbered: [{{from: t}}, {{window: {{columns: {{row_at: row_number()}}}}}}]
  sorted: [{{from: numbered}}, {{index: row_at desc}}]
  back: [{{from: sorted}}, {{index: row_at}}, {{drop: [row_at]}}]
outputs:
  none: {{table: t, path: none.arrow, if_exists: replace}}
  lz4: {{table: back, path: lz4.arrow, compression: lz4, row_group_rows: 100, if_exists: replace}}
  zstd: {{table: t, path: zstd.arrow, compression: zstd, if_exists: replace}}
  parquet: {{table: t, path: t.parquet, if_exists: replace}}
"""
    )
    subprocess.run([pqjoin, "run", str(job), "--mem", "256MB", "--progress", "none"], check=True, stdout=subprocess.DEVNULL)


def written(r, folder, table, polars):
    """Files of the table, by each way to write it."""
    rows = r.choice([7, 64, 500])
    for name, new, options in [
        ("plain.in.arrow", ipc.new_file, {}),
        ("lz4.in.arrow", ipc.new_file, {"compression": "lz4"}),
        ("zstd.in.arrow", ipc.new_file, {"compression": "zstd"}),
        ("stream.in.arrows", ipc.new_stream, {}),
    ]:
        with new(folder / name, table.schema, options=ipc.IpcWriteOptions(unify_dictionaries=new is ipc.new_file, **options)) as w:
            w.write_table(table, max_chunksize=rows)
        yield folder / name
    if polars:
        pl.from_arrow(table).write_ipc(folder / "polars.in.arrow", compression="zstd")
        yield folder / "polars.in.arrow"


def main(pqjoin, folder, seed="1"):
    folder = pathlib.Path(folder)
    decimal.getcontext().prec = 60
    files = 0
    for case in range(12):
        r = random.Random(f"{seed}.{case}")
        simple = case % 3 == 0
        kinds = [kind(r, r.randint(1, 4), POLARS if simple else (KINDS, LEAVES), top=True) for _ in range(4)]
        rows = r.choice([0, 1, 300, 2000])
        made = {f"c{i}": pa.array([maybe(r, v) for _ in range(rows)], t) for i, (t, v) in enumerate(kinds)}
        table = pa.table({"id": pa.array(range(rows), pa.int64()), **made})
        if rows == 2000:  # lists that begin within their elements
            table = table.slice(300, 1500)
        for source in written(r, folder, table, simple):
            run(pqjoin, folder, source)
            for out in ("none.arrow", "lz4.arrow", "zstd.arrow"):
                same(table, ipc.open_file(folder / out).read_all(), f"seed {seed}, case {case}: {out} of {source.name}")
            same(table, pq.read_table(folder / "t.parquet"), f"seed {seed}, case {case}: Parquet of {source.name}")
            files += 1
    print(f"{folder}: {files} Arrow files of nested columns, by pyarrow and Polars, are the same through pqjoin")


main(*sys.argv[1:])
