"""Writes the same table as pyarrow 26 and Polars 2.1 write it, and its values, expected.json: python make.py"""

import datetime as dt
import decimal
import json
import pathlib
import struct

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.ipc as ipc

HERE = pathlib.Path(__file__).parent
N = 40
EPOCH = dt.date(1970, 1, 1)


def null(values, every=7):
    return [None if i % every == 3 else v for i, v in enumerate(values)]


def day(i):
    return EPOCH + dt.timedelta(days=i * 300 - 5000)


def moment(i):
    return dt.datetime(1969, 12, 31, 23) + dt.timedelta(minutes=i * 7, microseconds=i)


R = range(N)
TABLE = pa.table(
    {
        "bool": pa.array(null([i % 3 == 0 for i in R]), pa.bool_()),
        "i8": pa.array(null([i * 6 - 120 for i in R]), pa.int8()),
        "u8": pa.array([i * 6 for i in R], pa.uint8()),
        "i16": pa.array([i * 1500 - 30000 for i in R], pa.int16()),
        "u16": pa.array(null([i * 1600 for i in R]), pa.uint16()),
        "i32": pa.array(null([i * 10**8 - 2 * 10**9 for i in R]), pa.int32()),
        "u32": pa.array([i * 10**8 for i in R], pa.uint32()),
        "i64": pa.array(null([i * 10**17 - 2 * 10**18 for i in R]), pa.int64()),
        "u64": pa.array([2**64 - 1 - i for i in R], pa.uint64()),
        "f16": pa.array(np.linspace(-2, 7, N).astype(np.float16)),
        "f32": pa.array(null([i / 3 for i in R]), pa.float32()),
        "f64": pa.array(null([i / 7 for i in R]) [:-2] + [float("-inf"), -0.0]),
        "str": pa.array(null(["x" * (i % 30) + str(i) for i in R])),
        "large": pa.array(null([str(i) * 3 for i in R], 2), pa.large_string()),
        "view": pa.array(null(["v" * (i % 20) + f"é{i}" for i in R]), pa.string_view()),
        "bin": pa.array(null([bytes([i]) * (i % 5) for i in R]), pa.binary()),
        "d32": pa.array(null([day(i) for i in R])),
        "d64": pa.array([day(i) for i in R], pa.date64()),
        "time_s": pa.array([dt.time(i % 24, i, i) for i in R], pa.time32("s")),
        "time_us": pa.array(null([dt.time(i % 24, i, i, i) for i in R]), pa.time64("us")),
        "ts_s": pa.array([moment(i).replace(microsecond=0) for i in R], pa.timestamp("s")),
        "ts_ns": pa.array(null([moment(i) for i in R]), pa.timestamp("ns")),
        "ts_utc": pa.array(null([moment(i) for i in R]), pa.timestamp("us", "UTC")),
        "code": pa.array(null([f"k{i % 5}" for i in R])).dictionary_encode(),
        "code_int": pa.array(null([i % 5 * 10 for i in R])).dictionary_encode(),
        "fixed": pa.array(null([b"%04d" % i for i in R]), pa.binary(4)),
        "dec": pa.array(null([decimal.Decimal(i * 100 - 7).scaleb(-2) for i in R]), pa.decimal128(12, 2)),
        "big": pa.array(null([decimal.Decimal(i * 10**20 - 7).scaleb(-3) for i in R]), pa.decimal128(38, 3)),
        "null": pa.nulls(N),
    }
)
LISTS = null([[k if k % 3 else None for k in range(i % 5)] for i in R])
CODES = pa.array(null([f"k{i % 3}" for i in R])).dictionary_encode()
NESTED = pa.table(
    {
        "n_list": pa.array(LISTS, pa.list_(pa.int16())),
        "n_large": pa.array(LISTS, pa.large_list(pa.uint64())),
        "n_view": pa.array(LISTS, pa.list_view(pa.int64())),
        "n_large_view": pa.array(LISTS, pa.large_list_view(pa.int64())),
        "n_fixed": pa.array(null([[f"a{i}", None, "é" * i] for i in R]), pa.list_(pa.large_string(), 3)),
        "n_lists": pa.array(null([[["x" * k, None], None, []][: i % 4] for i, k in enumerate(R)]), pa.list_(pa.list_(pa.string_view()))),
        "n_map": pa.array(null([[(f"k{k}", None if k == 2 else [k]) for k in range(i % 3 + 1)] for i in R]), pa.map_(pa.string(), pa.list_(pa.int8()))),
        "n_struct": pa.array(
            null([{"a": None if i % 5 == 0 else i, "b c": None if i % 4 == 0 else {"d": [i % 2 == 0], "e": None}} for i in R]),
            pa.struct([("a", pa.int32()), ("b c", pa.struct([("d", pa.list_(pa.bool_())), ("e", pa.null())]))]),
        ),
        "n_code": pa.StructArray.from_arrays([CODES, pa.array(range(N))], ["code", "i"]),
        "n_codes": pa.ListArray.from_arrays(pa.array(range(N + 1), pa.int32()), CODES),
    }
)
PLAIN_POLARS = TABLE.drop_columns(["fixed", "dec", "big", "time_s", "time_us", "ts_s", "d64", "f16"])


def plain(v):
    """A nested value as JSON has it: a map is an object."""
    if isinstance(v, dict):
        return {k: plain(x) for k, x in v.items()}
    if isinstance(v, list) and v and isinstance(v[0], tuple):
        return {k: plain(x) for k, x in v}
    return [plain(x) for x in v] if isinstance(v, list) else v


def values(column):
    """Each value as the test writes it: counts since 1970 or midnight, floats by their bits, bytes in hexadecimal."""
    t = column.type
    if pa.types.is_nested(t):
        return [None if v is None else json.dumps(v, ensure_ascii=False, separators=(",", ":"), default=str) for v in map(plain, column.to_pylist())]
    if pa.types.is_dictionary(t):
        column = column.cast(t.value_type)
        t = t.value_type
    if pa.types.is_date64(t):
        column, t = column.cast(pa.date32()), pa.date32()
    if pa.types.is_date(t) or (pa.types.is_time(t) and t.bit_width == 32):
        column = column.cast(pa.int32())
    elif pa.types.is_time(t) or pa.types.is_timestamp(t):
        column = column.cast(pa.int64())
    out = []
    for v in column.to_pylist():
        if v is None:
            out.append(None)
        elif isinstance(v, bool):
            out.append(str(v).lower())
        elif isinstance(v, (float, np.floating)):
            out.append(struct.pack(">d", float(v)).hex())
        elif isinstance(v, bytes):
            out.append(v.hex())
        elif isinstance(v, decimal.Decimal):
            out.append(str(int(v.scaleb(t.scale))))
        else:
            out.append(str(v))
    return out


def write(name, table, new=ipc.new_file, rows=16, **options):
    with new(HERE / name, table.schema, options=ipc.IpcWriteOptions(**options)) as w:
        w.write_table(table, max_chunksize=rows)


def main():
    decimal.getcontext().prec = 60
    write("plain.arrow", TABLE, unify_dictionaries=True)
    write("lz4.arrow", TABLE, compression="lz4", rows=N)
    write("zstd.arrow", TABLE, compression="zstd", unify_dictionaries=True)
    write("stream.arrows", TABLE, new=ipc.new_stream, rows=7)
    write("legacy.arrows", TABLE.drop_columns(["view"]), new=ipc.new_stream, use_legacy_format=True, metadata_version=pa.MetadataVersion.V4)
    pieces = pa.Table.from_batches([b for part in (TABLE.slice(0, 11), TABLE.slice(11)) for b in part.to_batches()])
    write("slices.arrow", pieces, unify_dictionaries=True)
    write("nested.arrow", NESTED, compression="lz4", unify_dictionaries=True)
    write("nested.arrows", NESTED, new=ipc.new_stream, rows=9)
    replaced = pa.concat_tables([pa.table({"code": pa.array([f"{p}{i}" for i in R]).dictionary_encode()}) for p in "ab"])
    with ipc.new_stream(HERE / "replaced.arrows", replaced.schema) as w:
        for b in replaced.to_batches():
            w.write_batch(b)
    frame = pl.from_arrow(PLAIN_POLARS)
    for c in ("uncompressed", "lz4", "zstd"):
        frame.write_ipc(HERE / f"polars_{c}.arrow", compression=c)
    pl.from_arrow(NESTED.select(["n_list", "n_lists", "n_struct"])).write_ipc(HERE / "polars_nested.arrow", compression="zstd")
    expected = {name: values(t[name]) for t in (TABLE, NESTED) for name in t.column_names}
    (HERE / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=0) + "\n")


main()
