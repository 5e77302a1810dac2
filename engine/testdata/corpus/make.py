#!/usr/bin/env python3
"""Compares what pqjoin makes of every file of apache/parquet-testing with what pyarrow (else DuckDB) reads from it, or its page tells of it.

    python3 make.py --pqjoin ./bin/pqjoin --corpus path/to/parquet-testing           compares, also with manifest.txt
    python3 make.py --pqjoin ./bin/pqjoin --corpus path/to/parquet-testing --write   compares, and writes manifest.txt

Each file runs through a job that copies it to Parquet in little memory. Its line in the manifest is one of

    PATH  equal    ROWS  DIGEST  READER    the copy has the rows that READER (pyarrow, duckdb, page) reads from the original
    PATH  refused  SENTENCE                pqjoin says why, without the path
    PATH  other                            no Parquet file
    PATH  huge                             values so long that the least memory for them is more than is given

Nothing else may happen: another exit, an output with a refusal, a copy that differs. The digest is of the columns that
are not nested, and of their names: the sum over the rows of SHA-256's first 16 bytes of the row's text, plus that of the
names, so that the order of the rows does not matter. The comparison here is of all columns, in order.
"""
import argparse
import decimal
import hashlib
import os
import re
import struct
import subprocess
import sys
import tempfile

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

HERE = os.path.dirname(os.path.abspath(__file__))
MEMORY = "256MB"
decimal.getcontext().prec = 80


def text(t, v):
    """One value as text: integers, dates, times and unscaled decimals in decimal, floats as bits, bytes in hex."""
    if v is None:
        return "-"
    if pa.types.is_floating(t):
        v = float(v)
        return "nan" if v != v else struct.pack(">d", v).hex()
    if pa.types.is_decimal(t):
        return str(int(v.scaleb(t.scale)))
    if isinstance(v, bool):
        return str(int(v))
    if isinstance(v, str):
        v = v.encode()
    if isinstance(v, bytes):
        return v.hex() or "''"
    return str(int(v))


def nested(v):
    """A nested scalar as text."""
    if not v.is_valid:
        return "-"
    t = v.type
    if pa.types.is_struct(t):
        return "{" + ",".join("%s:%s" % (f.name, nested(v[i])) for i, f in enumerate(t)) + "}"
    if pa.types.is_map(t):
        return "<" + ",".join("%s:%s" % (nested(e[0]), nested(e[1])) for e in v.values) + ">"
    if pa.types.is_nested(t):
        return "[" + ",".join(nested(x) for x in v.values) + "]"
    return str(v.value) if pa.types.is_temporal(t) else text(t, v.as_py())


def plain(c):
    """A column without dictionaries and extensions, moments as integers."""
    t = c.type
    if isinstance(t, pa.BaseExtensionType):
        return plain(pa.chunked_array([x.storage for x in c.chunks], t.storage_type))
    if pa.types.is_dictionary(t):
        return plain(c.cast(t.value_type))
    if pa.types.is_temporal(t):
        return c.cast(pa.int32() if t.bit_width == 32 else pa.int64())
    return c


class Table:
    """A table as texts: names and columns of the flat ones, and of the nested ones."""

    def __init__(self, t):
        self.rows, self.flat, self.deep = len(t), {}, {}
        for name, c in zip(t.column_names, t.columns):
            c = plain(c)
            if pa.types.is_nested(c.type):
                self.deep[name] = [nested(v) for v in c]
            else:
                self.flat[name] = [text(c.type, v) for v in c.to_pylist()]

    def digest(self):
        rows = ("|".join(r) for r in zip(*self.flat.values()))
        total = sum(short(r) for r in rows) + short(",".join(self.flat))
        return "%032x" % (total % (1 << 128))

    def same(self, other):
        return (self.rows, self.flat, self.deep) == (other.rows, other.flat, other.deep)


def short(s):
    return int.from_bytes(hashlib.sha256(s.encode()).digest()[:16], "big")


def by_pyarrow(path):
    f = pq.ParquetFile(path, page_checksum_verification=True)
    try:
        return Table(f.read())
    except Exception:
        return Table(pa.table({n: f.read(columns=[n]).column(n) for n in f.schema_arrow.names}))


def by_page(path):
    """What the file's page in the corpus says, of moments that pyarrow and DuckDB wrap around."""
    text = open(path.removesuffix(".parquet") + ".md").read()
    values = re.search(r"As microseconds since the epoch, they correspond to:\n```\n(.*)\n```", text)[1].split(", ")
    return Table(pa.table({"a": pa.array([None if v == "null" else int(v) for v in values], pa.timestamp("us"))}))


def by_duckdb(path):
    return Table(duckdb.sql("select * from read_parquet('%s')" % path).to_arrow_table())


def original(path):
    """What the first reader that can reads, and which it is."""
    for name, read in (("page", by_page), ("pyarrow", by_pyarrow), ("duckdb", by_duckdb)):
        try:
            return read(path), name
        except Exception:
            continue
    return None, "nobody"


def copy(pqjoin, path, folder):
    """Runs the job; returns the copy's path, or the sentence that refuses it."""
    out, job = os.path.join(folder, "out.parquet"), os.path.join(folder, "job.yaml")
    with open(job, "w") as f:
        f.write('inputs: {t: {path: "%s", format: parquet}}\noutputs: {t: {path: "%s", if_exists: replace}}\n' % (path, out))
    if os.path.exists(out):
        os.remove(out)
    run = subprocess.run([pqjoin, "run", job, "--mem", MEMORY, "--progress", "none"], capture_output=True, text=True, timeout=120)
    if run.returncode == 0:
        return out, None
    if run.returncode == 4:
        return None, None
    said, *place = [s for s in run.stderr.splitlines() if s.strip()]
    assert run.returncode in (1, 2) and all(s.startswith("    ") for s in place), "%s: exit %d, %s" % (path, run.returncode, run.stderr)
    assert not os.path.exists(out), path
    return None, said.removeprefix("pqjoin: ").split('input "t": ')[-1].replace(path + ": ", "")


def outcome(pqjoin, corpus, name, folder):
    path = os.path.join(corpus, name)
    if ".parquet" not in name or name.endswith(".json"):
        return [name, "other"]
    if name.endswith(".md") or name.endswith(".csv"):
        return [name, "other"]
    out, why = copy(pqjoin, path, folder)
    if out is None and why is None:
        return [name, "huge"]
    if why:
        return [name, "refused", why]
    want, reader = original(path)
    if want is None:
        raise AssertionError("%s: nobody else reads it" % name)
    for read in (by_pyarrow, by_duckdb) if reader != "duckdb" else (by_duckdb,):
        if read is by_duckdb and reader != "duckdb":
            assert duckdb.sql("select count(*) from read_parquet('%s')" % out).fetchall()[0][0] == want.rows, name
        elif not want.same(read(out)):
            raise AssertionError("%s: the copy is not what %s reads" % (name, reader))
    return [name, "equal", str(want.rows), want.digest(), reader]


def settled(line):
    name, how, *rest = line.split("\t")
    return (name, how) if how == "refused" else (name, how, *rest)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--pqjoin", required=True)
    p.add_argument("--corpus", required=True)
    p.add_argument("--write", action="store_true")
    args = p.parse_args()
    names = sorted(os.path.relpath(os.path.join(d, f), args.corpus) for d, _, fs in os.walk(args.corpus) for f in fs)
    lines, failed = [], []
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            try:
                lines.append("\t".join(outcome(args.pqjoin, args.corpus, name, folder)))
            except AssertionError as e:
                failed.append(str(e))
    manifest = os.path.join(HERE, "manifest.txt")
    if args.write:
        with open(manifest, "w") as f:
            f.write("\n".join(lines) + "\n")
    else:
        # Of a file with several broken columns, the worker that is first says why: the sentence is the Go test's, which has one.
        known = {settled(s) for s in open(manifest).read().splitlines()}
        failed += ["the outcome is not the manifest's: " + s for s in lines if settled(s) not in known]
    kinds = [s.split("\t")[1] for s in lines]
    print("parquet-testing: %d files: %s" % (len(names), ", ".join("%d %s" % (kinds.count(k), k) for k in sorted(set(kinds)))))
    if failed:
        sys.exit("\n".join(failed))


if __name__ == "__main__":
    main()
