"""Writes casts.csv: DuckDB's answers to casts of each type to each other.

Run it with a Python that has duckdb and numpy: python casts.py. A line "TYPE,,VALUE|VALUE" tells the values of a type, as expressions of
their text; "TYPE,TO TO,ANSWER|ANSWER" the answers of casts of those values to the types TO, as text (bytes in hexadecimal), ERROR where
DuckDB fails; "TYPE,TO TO,none" the types to which DuckDB has no cast. Types that DuckDB lacks are made of the next wider one that it has:
float16 of FLOAT, rounded by NumPy; bytes of a fixed number of BLOB; times of seconds and milliseconds, and moments in UTC of
units other than microseconds and nanoseconds, by cutting microseconds towards the past. Made with DuckDB 2.0.
"""

import collections
import csv
import pathlib

import duckdb
import numpy

DUCKDB = {
    "bool": "boolean", "int8": "tinyint", "int16": "smallint", "int32": "integer", "int64": "bigint",
    "uint8": "utinyint", "uint16": "usmallint", "uint32": "uinteger", "uint64": "ubigint",
    "float16": "float", "float32": "float", "float64": "double",
    "decimal(9, 2)": "decimal(9, 2)", "decimal(18, 6)": "decimal(18, 6)", "decimal(38, 10)": "decimal(38, 10)",
    "string": "varchar", "binary": "blob", "fixed(3)": "blob", "uuid": "uuid", "date": "date",
    "time(s)": "time", "time(ms)": "time", "time(us)": "time", "time(ns)": "time_ns", "time(us, utc)": "time",
    "timestamp(s)": "timestamp_s", "timestamp(ms)": "timestamp_ms", "timestamp(us)": "timestamp", "timestamp(ns)": "timestamp_ns",
    "timestamp(s, utc)": "timestamptz", "timestamp(ms, utc)": "timestamptz", "timestamp(us, utc)": "timestamptz", "timestamp(ns, utc)": "timestamptz_ns",
}
CUT = {"time(s)": "second", "time(ms)": "millisecond", "timestamp(s, utc)": "second", "timestamp(ms, utc)": "millisecond"}


def whole(t):
    lo, hi = (0, 1 << int(t[4:])) if t[0] == "u" else (-1 << int(t[3:]) - 1, 1 << int(t[3:]) - 1)
    return [str(v) for v in (lo, -7, 0, 1, 100, hi - 1) if v >= lo]


MOMENTS = {"s": "", "ms": ".123", "us": ".123456", "ns": ".123456789"}
VALUES = {
    "bool": ["true", "false"], **{t: whole(t) for t in DUCKDB if t.startswith(("int", "uint"))},
    "float16": ["-0.0", "0.5", "1.5", "2.5", "-2.5", "255", "65504", "-inf", "nan"],
    "float32": ["-0.0", "0.1", "1.5", "2.5", "-2.5", "255", "1e10", "-inf", "nan"],
    "float64": ["-0.0", "0.1", "1.5", "2.5", "-2.5", "255", "1e10", "1e300", "-inf", "nan"],
    "decimal(9, 2)": ["0", "0.5", "1.5", "-2.5", "127.5", "9999999.99"],
    "decimal(18, 6)": ["0", "0.5", "-0.000001", "-2.5", "0.125", "999999999999.999999"],
    "decimal(38, 10)": ["0", "0.5", "-0.0000000001", "-2.5", "65504", "-9999999999999999999999999999.9999999999"],
    "string": ["", "true", "T", "yes", "1", " 12 ", "1.5", "-7", "1e3", "0x1F", "1_000", "300", "abc", "nan", "-inf", "2024-02-29", "2023-02-29", "2024-02-29 13:14:15.1234567",
               "2024-02-29T13:14:15+02", "13:14:15.5", "24:00:00", "123E4567-e89b-12d3-a456-426614174000"],
    "binary": ["616263", "ff", "", "123e4567e89b12d3a456426614174000"], "fixed(3)": ["616263", "00ff00"],
    "uuid": ["00000000-0000-0000-0000-000000000000", "f23e4567-e89b-12d3-a456-426614174000"],
    "date": ["0001-01-01", "1969-12-31", "1970-01-01", "2024-02-29", "9999-12-31"],
    **{t: ["00:00:00", f"13:14:15{MOMENTS[u]}", f"23:59:59{MOMENTS[u].replace('1', '9')}"] for t in DUCKDB if t.startswith("time(") for u in [t[5:].strip(")").split(",")[0]]},
    **{t: ["1883-11-18 00:00:00", f"1969-12-31 23:59:59{MOMENTS[u]}", f"2024-02-29 13:14:15{MOMENTS[u]}"] + (["9999-12-31 23:59:59"] if u != "ns" else [])
       for t in DUCKDB if t.startswith("timestamp(") for u in [t[10:].strip(")").split(",")[0]]},
}

db = duckdb.connect()
db.execute("SET TimeZone = 'UTC'; SET ieee_floating_point_ops = true")


def value(t, text):
    if t in ("binary", "fixed(3)"):
        return f"unhex('{text}')"
    v = f"cast('{text}' as {DUCKDB[t]})"
    return f"date_trunc('{CUT[t]}', {v})" if t in CUT and t.startswith("timestamp") else v


def cast(text, src, to):
    """The answer as text, or None where there is no cast."""
    sql = f"cast({value(src, text)} as {DUCKDB[to]})"
    if to == "float16":
        sql = f"cast({value(src, text)} as double)"
    if to in CUT:  # of a time too: since midnight
        sql = f"date_trunc('{CUT[to]}', {sql})" if to.startswith("timestamp") else f"cast(date_trunc('{CUT[to]}', date '2000-01-01' + {sql}) as time)"
    try:
        if to == "float16":
            v = db.execute(f"select {sql}").fetchone()[0]
            with numpy.errstate(over="ignore"):
                half = numpy.float16(v)
            if numpy.isinf(half) and not numpy.isinf(v):
                return "ERROR"
            sql = f"cast({float(half)!r}::double as float)" if numpy.isfinite(half) else f"cast('{half}' as float)"
        shown = db.execute(f"select hex({sql})" if DUCKDB[to] == "blob" else f"select ({sql})::varchar").fetchone()[0]
        return shown if to != "fixed(3)" or len(shown) == 6 else "ERROR"
    except UnicodeDecodeError:  # of a message that quotes bytes
        return "ERROR"
    except duckdb.Error as e:
        return None if "Unimplemented type for cast" in str(e) else "ERROR"


lines = []
for src in DUCKDB:
    lines.append((src, "", "|".join(VALUES[src])))
    same = collections.defaultdict(list)
    for to in DUCKDB:
        answers = [cast(text, src, to) for text in VALUES[src]]
        if None in answers and set(answers) != {None}:
            raise ValueError(f"{src} to {to}: {answers}")
        same["none" if None in answers else "|".join(answers)].append(to)
    lines += [(src, "; ".join(tos), answers) for answers, tos in same.items()]
with open(pathlib.Path(__file__).parent / "casts.csv", "w", newline="") as f:
    csv.writer(f, lineterminator="\n").writerows(lines)
