"""crossread.py RESULT [SORTED]: pandas, DuckDB, Polars, fastparquet and Dask read RESULT as pyarrow does.

Each must find the same columns and types, rows, nulls, sums, first rows and last rows. SORTED is the same
rows in several files, sorted by col1: Dask must know its divisions.
"""

import glob
import math
import sys

import dask.dataframe as dd
import duckdb
import fastparquet
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

EDGE = 5  # rows compared at each end


def by_pyarrow(files):
    return pq.read_table(files)


def by_pandas(files):
    return whole(pd.read_parquet(files, dtype_backend="pyarrow"), files)


def by_duckdb(files):
    return duckdb.from_parquet(files).to_arrow_table()


def by_polars(files):
    return pl.read_parquet(files).to_arrow()


def by_fastparquet(files):
    return pd.concat([fastparquet.ParquetFile(f).to_pandas(index=False) for f in files], ignore_index=True)


def by_dask(files):
    return whole(dd.read_parquet(files, split_row_groups=False).compute(), files)


def whole(frame, files):
    """The frame with its index, which the files' metadata name, as a column where it was."""
    if frame.index.name is not None:
        frame = frame.reset_index()
    return frame[pq.ParquetFile(files[0]).schema_arrow.names]


def describe(table):
    """What the readers must agree on. A frame without a null of its own says NaN: both are null here."""
    if isinstance(table, pd.DataFrame):
        table = pa.Table.from_pandas(table.reset_index(drop=True), preserve_index=False)
    out = {"rows": len(table), "columns": table.column_names}
    for name in table.column_names:
        values = table[name].to_pandas().dropna()
        column = {"nulls": len(table) - len(values), "integer": pa.types.is_integer(table[name].type)}
        column["sum"] = int(values.sum()) if column["integer"] else math.fsum(values)
        column["edges"] = [None if v is None or v != v else v for v in [*table[name][:EDGE].to_pylist(), *table[name][-EDGE:].to_pylist()]]
        out[name] = column
    return out


def compare(reader, want, got):
    for key in want:
        a, b = want[key], got.get(key)
        if isinstance(a, dict) and isinstance(b, dict) and a["nulls"] and a["integer"] and not b["integer"]:
            a = a | {"integer": False}  # integers with nulls become floats in plain pandas
        assert a == b, f"{reader}: {key} is {b}, not {a}"
    assert list(got) == list(want), f"{reader}: {list(got)}"


def main(result, divided=None):
    files = sorted(glob.glob(glob.escape(result.rstrip("/")) + "/*.parquet"))
    want = describe(by_pyarrow(files))
    for reader in (by_pandas, by_duckdb, by_polars, by_fastparquet, by_dask):
        compare(reader.__name__, want, describe(reader(files)))
    print(f"{result}: {want['rows']:,} rows, read alike by pyarrow, pandas, DuckDB, Polars, fastparquet and Dask")
    if divided:
        frame = dd.read_parquet(divided, calculate_divisions=True)
        assert frame.index.name == "col1" and frame.known_divisions and frame.npartitions > 1, f"Dask knows no divisions in {divided}"
        assert len(frame) == want["rows"], f"{divided}: {len(frame)} rows"
        print(f"{divided}: Dask knows the divisions of {frame.npartitions} partitions")


if __name__ == "__main__":
    main(*sys.argv[1:])
