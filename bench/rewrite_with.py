"""rewrite_with.py fastparquet|pyarrow FROM TO: writes the tables in FROM/test and FROM/test2 to TO with that library.

fastparquet writes as Dask used it: a hive directory with several files and a _metadata file.
"""

import os
import sys

import fastparquet
import pyarrow.parquet as pq

from seed_equals_pandas import read

FILES = 3


def with_fastparquet(table, directory):
    frame = table.to_pandas()
    cuts = [len(frame) * i // FILES for i in range(FILES)]
    fastparquet.write(directory, frame, row_group_offsets=cuts, file_scheme="hive", compression="SNAPPY", write_index=False)


def with_pyarrow(table, directory):
    os.makedirs(directory)
    step = -(-len(table) // FILES)
    for i in range(FILES):
        pq.write_table(table.slice(i * step, step), f"{directory}/part.{i}.parquet")


def main(library, source, target):
    write = {"fastparquet": with_fastparquet, "pyarrow": with_pyarrow}[library]
    for name in ("test", "test2"):
        write(read(f"{source}/{name}"), f"{target}/{name}")


if __name__ == "__main__":
    main(*sys.argv[1:])
