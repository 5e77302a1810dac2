#!/usr/bin/env python3
"""Makes the files beside it: a table of nested columns, with nulls at every level, empty lists and deep nesting, as pyarrow,
DuckDB and Polars write it, in pages of few values; and golden.json, what pyarrow reads from each (see ../golden.py).

    python3 make.py        (duckdb, polars, pyarrow)
"""
import datetime as dt
import decimal
import json
import os
import random
import sys

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import golden

N = 150
R = random.Random(7)


def maybe(f, p=0.2):
    return None if R.random() < p else f()


def some(f, most=4):
    return [maybe(f) for _ in range(R.choice([0, 1, 2, most]))]


def whole(f, most=4):
    return [f() for _ in range(R.choice([0, 1, 2, most]))]


def word():
    return R.choice(["", "a", "é", "a longer word", 'q"uo,te', "null"])


def point():
    return {"x": maybe(lambda: R.randrange(-9, 9)), "y": R.random(), "in": maybe(lambda: {"w": maybe(word), "l": maybe(lambda: some(word))})}


def deep(n):
    return R.randrange(100) if n == 0 else some(lambda: deep(n - 1), 2)


def leaves():
    day = dt.date(1969, 12, 1) + dt.timedelta(days=R.randrange(60))
    return {
        "b": R.random() < 0.5, "i8": R.randrange(-128, 128), "u16": R.randrange(1 << 16), "u64": R.randrange(1 << 64), "f32": R.randrange(99) / 4,
        "d": day, "t": dt.datetime.combine(day, dt.time(1, 2, 3, R.randrange(10**6))), "c": dt.time(R.randrange(24), 5),
        "p9": decimal.Decimal(R.randrange(-(10**8), 10**8)).scaleb(-2), "p38": decimal.Decimal(R.randrange(10**37)).scaleb(-10),
        "raw": R.randbytes(R.randrange(4)),
    }


INNER = pa.struct([("w", pa.string()), ("l", pa.list_(pa.string()))])
POINT = pa.struct([("x", pa.int32()), ("y", pa.float64()), ("in", INNER)])
LEAVES = pa.struct([
    ("b", pa.bool_()), ("i8", pa.int8()), ("u16", pa.uint16()), ("u64", pa.uint64()), ("f32", pa.float32()), ("d", pa.date32()),
    ("t", pa.timestamp("us")), ("c", pa.time64("us")), ("p9", pa.decimal128(9, 2)), ("p38", pa.decimal128(38, 10)), ("raw", pa.binary()),
])
DEEP = pa.int16()
for _ in range(6):
    DEEP = pa.list_(DEEP)


def rows(f):
    return [maybe(f, 0.1) for _ in range(N)]


def table(maps=True):
    columns = {
        "id": pa.array(range(N), pa.int64()),
        "ints": pa.array(rows(lambda: some(lambda: R.randrange(1 << 40), 30)), pa.list_(pa.int64())),
        "full": pa.array([whole(lambda: R.random()) for _ in range(N)], pa.list_(pa.field("element", pa.float64(), False))),
        "words": pa.array(rows(lambda: some(word)), pa.list_(pa.string())),
        "flags": pa.array(rows(lambda: some(lambda: R.random() < 0.5, 20)), pa.list_(pa.bool_())),
        "point": pa.array(rows(point), POINT),
        "points": pa.array(rows(lambda: some(point)), pa.list_(POINT)),
        "leaves": pa.array(rows(lambda: some(leaves, 2)), pa.list_(LEAVES)),
        "deep": pa.array(rows(lambda: deep(6)), DEEP),
        "none": pa.array([None] * N, pa.list_(pa.int32())),
        "empty": pa.array([[]] * N, pa.list_(pa.string())),
    }
    if maps:
        columns["map"] = pa.array(rows(lambda: [(w, maybe(lambda: R.randrange(9))) for w in dict.fromkeys(whole(word))]), pa.map_(pa.string(), pa.int32()))
        columns["maps"] = pa.array(rows(lambda: some(lambda: [(i, maybe(lambda: some(point, 2))) for i in dict.fromkeys(whole(lambda: R.randrange(99)))], 2)),
                                   pa.list_(pa.map_(pa.int64(), pa.list_(POINT))))
    return pa.table(columns)


def main():
    t = table()

    def write(name, table=t, **options):
        pq.write_table(table, os.path.join(HERE, name + ".parquet"), **options)

    write("pyarrow_v1", compression="snappy", store_schema=False)
    write("pyarrow_v2_pages", compression="zstd", data_page_version="2.0", data_page_size=100, write_batch_size=8, store_schema=False)
    write("pyarrow_v1_pages", t.select(["ints", "words", "points", "map"]), compression="none", data_page_size=100, write_batch_size=8, use_dictionary=False, store_schema=False)
    write("pyarrow_items", t.select(["ints", "deep", "maps"]), use_compliant_nested_type=False, row_group_size=40, compression="gzip", store_schema=False)
    write("pyarrow_delta", t.select(["ints", "words", "full"]), use_dictionary=False, store_schema=False, column_encoding={
        "ints.list.element": "DELTA_BINARY_PACKED", "words.list.element": "DELTA_BYTE_ARRAY", "full.list.element": "BYTE_STREAM_SPLIT"})
    con = duckdb.connect()
    con.register("t", t)
    for version in "V1", "V2":
        con.execute("copy t to '%s/duckdb_%s.parquet' (compression zstd, parquet_version %s, row_group_size 100)" % (HERE, version.lower(), version))
    pl.from_arrow(t.drop_columns(["map", "maps"])).write_parquet(os.path.join(HERE, "polars.parquet"), compression="lz4", data_page_size=200)
    with open(os.path.join(HERE, "golden.json"), "w") as f:
        names = sorted(n for n in os.listdir(HERE) if n.endswith(".parquet"))
        json.dump({n: golden.file(os.path.join(HERE, n)) for n in names}, f, indent=1, sort_keys=True)
        f.write("\n")


if __name__ == "__main__":
    main()
