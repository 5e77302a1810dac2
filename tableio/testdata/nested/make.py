#!/usr/bin/env python3
"""Makes t.parquet, a table of nested columns, with nulls at every level and awkward texts, and what DuckDB makes of it:
duckdb.csv, duckdb.tsv, duckdb.jsonl (but for columns whose JSON has NaNs or keys that are structs).

    python3 make.py        (duckdb 2.0, pyarrow)
"""
import datetime as dt
import decimal
import os
import random

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

HERE = os.path.dirname(os.path.abspath(__file__))
R = random.Random(11)
WORDS = ["", "a", "é", "a longer word", 'q"uo,te', "null", "NULL", "it's", " lead", "trail ", "x{y", "k=v", "new\nline", "tab\tbed", "back\\slash", "(1)", "a:b", "12", "true"]
SPECIAL = [0.0, -0.0, 1.5, float("nan"), float("inf"), float("-inf"), 1e16, 1e-5, 0.1, 1e15, 123456789.125, 1e300, 0.0001]


def maybe(f, p=0.2):
    return None if R.random() < p else f()


def some(f, most=4):
    return [maybe(f) for _ in range(R.choice([0, 1, 2, most]))]


def word():
    return R.choice(WORDS)


def point():
    return {"x": maybe(lambda: R.randrange(-9, 9)), "the y": maybe(lambda: R.randrange(-99, 99) / 8), "in": maybe(lambda: {"w": maybe(word), "l": maybe(lambda: some(word))})}


def entries(key, value, most=4):
    return [(k, maybe(value)) for k in dict.fromkeys(key() for _ in range(R.choice([0, 1, 2, most])))]


def leaves():
    day = dt.date(1969, 12, 1) + dt.timedelta(days=R.randrange(60))
    micros = R.choice([0, 0, 500000, R.randrange(10**6)])
    return {
        "b": R.random() < 0.5, "i8": R.randrange(-128, 128), "u64": R.randrange(1 << 64), "f32": R.randrange(99) / 4, "d": day,
        "t": dt.datetime.combine(day, dt.time(1, 2, 3, micros)), "z": dt.datetime.combine(day, dt.time(23, 0, 3, micros), dt.timezone.utc), "c": dt.time(R.randrange(24), 5, 0, micros),
        "p9": decimal.Decimal(R.randrange(-(10**8), 10**8)).scaleb(-2), "p38": decimal.Decimal(R.randrange(10**37)).scaleb(-10),
    }


POINT = pa.struct([("x", pa.int32()), ("the y", pa.float64()), ("in", pa.struct([("w", pa.string()), ("l", pa.list_(pa.string()))]))])
LEAVES = pa.struct([
    ("b", pa.bool_()), ("i8", pa.int8()), ("u64", pa.uint64()), ("f32", pa.float32()), ("d", pa.date32()), ("t", pa.timestamp("us")), ("z", pa.timestamp("us", "UTC")),
    ("c", pa.time64("us")), ("p9", pa.decimal128(9, 2)), ("p38", pa.decimal128(38, 10)),
])
COLUMNS = {
    "ints": (lambda: some(lambda: R.randrange(1 << 40), 9), pa.list_(pa.int64())),
    "words": (lambda: some(word, 6), pa.list_(pa.string())),
    "point": (point, POINT),
    "points": (lambda: some(point), pa.list_(POINT)),
    "leaves": (lambda: some(leaves, 2), pa.list_(LEAVES)),
    "map": (lambda: entries(word, lambda: R.randrange(9)), pa.map_(pa.string(), pa.int32())),
    "maps": (lambda: some(lambda: entries(lambda: R.randrange(99), lambda: some(point, 2)), 2), pa.list_(pa.map_(pa.int64(), pa.list_(POINT)))),
    "special": (lambda: some(lambda: R.choice(SPECIAL), 6), pa.list_(pa.float64())),
    "keyed": (lambda: [({"a": i, "b": maybe(word)}, maybe(word)) for i in range(R.randrange(3))], pa.map_(pa.struct([("a", pa.int64()), ("b", pa.string())]), pa.string())),
}


def main():
    table = {name: pa.array([maybe(f, 0.1) for _ in range(60)], t) for name, (f, t) in COLUMNS.items()}
    path = os.path.join(HERE, "t.parquet")
    pq.write_table(pa.table(table), path, compression="zstd", store_schema=False)
    con = duckdb.connect()
    con.execute("set timezone = 'UTC'")
    con.execute(f"copy (from '{path}') to '{HERE}/duckdb.csv' (format csv, header)")
    con.execute(f"copy (from '{path}') to '{HERE}/duckdb.tsv' (format csv, header, delimiter '\\t')")
    con.execute(f"copy (select * exclude (special, keyed) from '{path}') to '{HERE}/duckdb.jsonl' (format json)")


if __name__ == "__main__":
    main()
