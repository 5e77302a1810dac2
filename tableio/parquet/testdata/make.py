#!/usr/bin/env python3
"""Makes int96.parquet, int96_spark.parquet (as Spark marks its files), and writers/: one small table as pyarrow, DuckDB,
Polars and fastparquet write it, in every encoding, codec and page version that they have, with golden.json, what pyarrow
reads from each (see golden.py).

    python3 make.py        (duckdb, fastparquet, pandas, polars, pyarrow)
"""
import datetime as dt
import decimal
import itertools
import os

import duckdb
import fastparquet
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

import golden

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "writers")
N = 60


def maybe(i, v):
    return None if i % 7 == 3 else v


def table():
    rows = range(N)
    stamp = dt.datetime(2024, 2, 29, 12, 30, 15, 123000)
    return pa.table({
        "i64": pa.array([i * i * 1_000_003 - 5_000_000 for i in rows], pa.int64()),
        "i32": pa.array([maybe(i, i % 5 - 2) for i in rows], pa.int32()),
        "u16": pa.array([i * 1000 for i in rows], pa.uint16()),
        "f64": pa.array([maybe(i, i / 8) for i in rows], pa.float64()),
        "f32": pa.array([-i / 4 for i in rows], pa.float32()),
        "ok": pa.array([maybe(i, i % 3 == 0) for i in rows], pa.bool_()),
        "word": pa.array([maybe(i, "word %d" % (i % 6)) for i in rows], pa.string()),
        "long": pa.array(["prefix/%03d/%s" % (i, "é" * (i % 4)) for i in rows], pa.string()),
        "raw": pa.array([maybe(i, bytes([i, 255, 0])) for i in rows], pa.binary()),
        "day": pa.array([maybe(i, stamp.date() + dt.timedelta(days=i)) for i in rows], pa.date32()),
        "at": pa.array([maybe(i, stamp + dt.timedelta(milliseconds=i)) for i in rows], pa.timestamp("us")),
        "price": pa.array([maybe(i, decimal.Decimal(i * 25 - 400).scaleb(-2)) for i in rows], pa.decimal128(9, 2)),
        "huge": pa.array([decimal.Decimal(10) ** 30 * i + i for i in rows], pa.decimal128(38, 0)),
    })


def by_pyarrow(t):
    def write(name, **options):
        pq.write_table(t, os.path.join(OUT, "pyarrow_%s.parquet" % name), **options)

    for version, codec in itertools.product(["1.0", "2.0"], ["none", "snappy", "gzip", "zstd", "brotli", "lz4"]):
        write("v%s_%s" % (version[0], codec), data_page_version=version, compression=codec)
    write("fallback", dictionary_pagesize_limit=64, data_page_size=128, write_batch_size=8)
    write("plain_pages", use_dictionary=False, data_page_size=64, write_batch_size=8, write_page_checksum=True, write_page_index=True)
    write("row_groups", row_group_size=7)
    for version in ["1.0", "2.0"]:
        write("delta_v" + version[0], use_dictionary=False, data_page_version=version, column_encoding={
            "i64": "DELTA_BINARY_PACKED", "i32": "DELTA_BINARY_PACKED", "f64": "BYTE_STREAM_SPLIT", "f32": "BYTE_STREAM_SPLIT",
            "word": "DELTA_BYTE_ARRAY", "long": "DELTA_BYTE_ARRAY", "raw": "DELTA_LENGTH_BYTE_ARRAY", "at": "DELTA_BINARY_PACKED", "ok": "RLE"})
        write("split_v" + version[0], use_dictionary=False, data_page_version=version, compression="zstd", column_encoding={
            c: "BYTE_STREAM_SPLIT" for c in ["i64", "i32", "u16", "f64", "f32", "at", "price", "huge"]})
    write("old", version="1.0", store_schema=False, use_deprecated_int96_timestamps=True)
    write("int_decimals", store_decimal_as_integer=True)
    pq.write_table(t[:0], os.path.join(OUT, "pyarrow_empty.parquet"))


def by_duckdb(t):
    for version, codec in itertools.product(["V1", "V2"], ["uncompressed", "snappy", "gzip", "zstd", "brotli", "lz4_raw"]):
        path = os.path.join(OUT, "duckdb_%s_%s.parquet" % (version.lower(), codec))
        duckdb.sql("copy t to '%s' (format parquet, parquet_version %s, codec '%s')" % (path, version, codec))


def by_polars(t):
    frame = pl.from_arrow(t)
    for codec in ["uncompressed", "snappy", "gzip", "zstd", "brotli", "lz4"]:
        frame.write_parquet(os.path.join(OUT, "polars_%s.parquet" % codec), compression=codec)
    frame.write_parquet(os.path.join(OUT, "polars_row_groups.parquet"), row_group_size=9, data_page_size=64)


def by_fastparquet(t):
    frame = t.drop_columns(["price", "huge"]).to_pandas()
    frame["day"] = frame["day"].astype("datetime64[ns]")
    for codec in [None, "SNAPPY", "GZIP", "ZSTD", "BROTLI", "LZ4_RAW"]:
        fastparquet.write(os.path.join(OUT, "fastparquet_%s.parquet" % (codec or "none").lower()), frame, compression=codec)
    frame["at"] = frame["at"].astype("datetime64[ns]")  # it takes any unit for nanoseconds here
    fastparquet.write(os.path.join(OUT, "fastparquet_int96.parquet"), frame, times="int96", row_group_offsets=13)


def int96():
    moments = [1704141296123456, -1, None, 253402300799999999, -62135596800000000, 0]
    t = pa.table({"v": pa.array(moments, pa.timestamp("us"))})
    options = {"use_deprecated_int96_timestamps": True, "use_dictionary": False, "compression": "none"}
    pq.write_table(t, os.path.join(HERE, "int96.parquet"), **options)
    spark = t.replace_schema_metadata({"org.apache.spark.version": "3.5.1"})
    pq.write_table(spark, os.path.join(HERE, "int96_spark.parquet"), **options)


def check(t):
    """pyarrow reads from every file the table that was written."""
    for name in os.listdir(OUT):
        if name.endswith(".parquet"):
            got = pq.read_table(os.path.join(OUT, name))
            want = t.select(got.column_names)[:0 if "empty" in name else None]
            assert len(got.column_names) >= len(t.column_names) - 2, name
            assert got.cast(want.schema).equals(want), name


if __name__ == "__main__":
    os.makedirs(OUT, exist_ok=True)
    t = table()
    by_pyarrow(t)
    by_duckdb(t)
    by_polars(t)
    by_fastparquet(t)
    int96()
    check(t)
    with open(os.path.join(OUT, "golden.json"), "w") as f:
        golden.folder(OUT, f)
