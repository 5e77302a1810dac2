"""crossread_layout.py PLAIN PARTITIONED: a table in hive directories is read by everybody as the table it was.

PLAIN is one file of the table, sorted by id; PARTITIONED its directories of day, sym and n, with bloom filters
of id and name. pandas, pyarrow, DuckDB, Polars and Dask read them; DuckDB looks values up in the filters.
"""

import glob
import sys

import dask.dataframe as dd
import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

HIVE = {"day": pa.date32(), "sym": pa.string(), "n": pa.int64()}
COLUMNS = ["id", "name", "px", "day", "sym", "n"]


def by_pyarrow(path):
    return ds.dataset(path, partitioning=ds.partitioning(pa.schema(HIVE), flavor="hive")).to_table()


def by_duckdb(path):
    types = "{'day': date, 'sym': varchar, 'n': bigint}"
    return duckdb.sql(f"from read_parquet('{path}/**/*.parquet', hive_types = {types})").to_arrow_table()


def by_polars(path):
    hive = {"day": pl.Date, "sym": pl.String, "n": pl.Int64}
    return pl.scan_parquet(path + "/**/*.parquet", hive_partitioning=True, hive_schema=hive).collect().to_arrow()


def by_pandas(path):
    # Left to itself it makes categories, and cannot put together those of nulls with others.
    partitioning = ds.partitioning(pa.schema(HIVE), flavor="hive")
    return from_frame(pd.read_parquet(path, partitioning=partitioning))


def by_dask(path):
    partitioning = {"flavor": "hive", "schema": pa.schema(HIVE)}
    return from_frame(dd.read_parquet(path, dataset={"partitioning": partitioning}).compute())


def from_frame(frame):
    """Undoes what pandas does to a table: id is its index, and what directories say is categories of what their names look like."""
    frame = frame.reset_index()
    for name, typ in HIVE.items():
        column = frame[name].astype(object)
        frame[name] = pd.array([None if pd.isna(v) else v for v in column], dtype=object)
    columns = {name: pa.array(frame[name], from_pandas=True) for name in COLUMNS}
    columns["day"] = columns["day"].cast(pa.string()).cast(pa.date32())
    return pa.table(columns)


def rows(table):
    table = table.select(COLUMNS)
    plain = {"id": pa.int64(), "name": pa.string(), "px": pa.float64()} | HIVE
    table = table.cast(pa.schema([(name, plain[name]) for name in COLUMNS])).sort_by("id")
    return table.to_pylist()


def check_filters(files, column, present, absent):
    excluded = lambda value: all(r[-1] for f in files for r in duckdb.execute("from parquet_bloom_probe(?, ?, ?)", [f, column, value]).fetchall())
    assert not any(excluded(v) for v in present), f"a filter of {column} does without a value that is there"
    few = sum(not excluded(v) for v in absent)
    assert few <= len(absent) // 4, f"the filters of {column} take {few} of {len(absent)} values for theirs"


def main(plain, partitioned):
    want = rows(pq.read_table(plain))
    for reader in (by_pyarrow, by_duckdb, by_polars, by_pandas, by_dask):
        got = rows(reader(partitioned))
        assert len(got) == len(want), f"{reader.__name__}: {len(got)} rows, not {len(want)}"
        for a, b in zip(want, got):
            assert a == b, f"{reader.__name__}: {b}, not {a}"
    files = sorted(glob.glob(partitioned + "/**/*.parquet", recursive=True))
    assert all(set(pq.ParquetFile(f).schema_arrow.names) == {"id", "name", "px"} for f in files), "a file has a column of the directories"
    check_filters(files, "id", [r["id"] for r in want[:50]], range(10**9, 10**9 + 50))
    check_filters(files, "name", [r["name"] for r in want[:50]], [f"no such name {i}" for i in range(50)])
    indexed = dd.read_parquet(files[0], calculate_divisions=True)
    assert indexed.index.name == "id" and indexed.known_divisions, "Dask finds no index"
    print(f"{partitioned}: {len(want):,} rows in {len(files)} partitions, read alike by pyarrow, DuckDB, Polars, pandas and Dask; DuckDB finds what is in the bloom filters")


if __name__ == "__main__":
    main(*sys.argv[1:])
