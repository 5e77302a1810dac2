"""crossread_formats.py DIR: JSON lines and Arrow files in DIR hold the rows of DIR/plain.parquet, whoever reads them."""

import sys

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.ipc as ipc
import pyarrow.json
import pyarrow.parquet as pq


def rows(table):
    """Rows as text: JSON has no dates, and pyarrow makes timestamps of them."""
    names = table.column_names
    return names, [[None if v is None else str(v).removesuffix(" 00:00:00") for v in table[n].to_pylist()] for n in names]


def by_pandas_json(path):
    frame = pd.read_json(path, lines=True, dtype_backend="pyarrow", dtype=False, precise_float=True)
    return pa.Table.from_pandas(frame, preserve_index=False)


def by_pandas_feather(path):
    return pa.Table.from_pandas(pd.read_feather(path, dtype_backend="pyarrow"), preserve_index=False)


def by_duckdb(path):
    return duckdb.sql(f"select * from read_json_auto('{path}', format='newline_delimited')").to_arrow_table()


JSON = (by_pandas_json, pyarrow.json.read_json, lambda p: pl.read_ndjson(p).to_arrow(), by_duckdb)
ARROW = (by_pandas_feather, feather.read_table, lambda p: ipc.open_file(p).read_all(), lambda p: pl.read_ipc(p).to_arrow())


def main(folder):
    want = rows(pq.read_table(f"{folder}/plain.parquet"))
    for name, readers in {"lines.jsonl": JSON, "lines.jsonl.gz": JSON[:2] + JSON[3:], "plain.arrow": ARROW, "lz4.arrow": ARROW, "zstd.arrow": ARROW}.items():
        for read in readers:
            got = rows(read(f"{folder}/{name}"))
            assert got[0] == want[0], f"{name}: {got[0]}"
            for column, a, b in zip(want[0], want[1], got[1]):
                at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), None)
                assert len(a) == len(b) and at is None, f"{name} by {read}: {column}, row {at}: {b[at]!r}, not {a[at]!r}"
    print(f"{folder}: {len(want[1][0]):,} rows of JSON lines and Arrow, read alike by pandas, pyarrow, Polars and DuckDB")


main(sys.argv[1])
