#!/usr/bin/env python3
"""Makes golden.json: what pyarrow reads from the files of apache/parquet-testing.

    python3 golden.py path/to/parquet-testing > golden.json

Each column has its count of rows and nulls, and a CRC-32 of its values in order,
one line a value: "-" for null, integers in decimal (also dates, times, timestamps and
unscaled decimals), floats as the bits of a float64 in hex (every NaN as "nan"), bytes in hex;
lists as [a,b], structs as {name:a}, maps as <key:a>.
"""
import decimal, json, os, re, struct, sys, zlib

import pyarrow as pa
import pyarrow.parquet as pq


def line(t, v):
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


def deep(v):
    """A nested scalar's line."""
    t = v.type
    if not v.is_valid:
        return "-"
    if pa.types.is_struct(t):
        return "{" + ",".join("%s:%s" % (f.name, deep(v[i])) for i, f in enumerate(t)) + "}"
    if pa.types.is_map(t):
        return "<" + ",".join("%s:%s" % (deep(e[0]), deep(e[1])) for e in v.values) + ">"
    if pa.types.is_nested(t):
        return "[" + ",".join(deep(x) for x in v.values) + "]"
    return str(v.value) if pa.types.is_temporal(t) else line(t, v.as_py())


def known(t):
    return not (isinstance(t, pa.BaseExtensionType) or pa.types.is_null(t))


def told(path):
    """The column of microseconds that a file's page of the corpus tells of, where pyarrow wraps moments around; or None."""
    page = path.removesuffix(".parquet") + ".md"
    text = open(page).read() if os.path.exists(page) else ""
    found = re.search(r"As microseconds since the epoch, they correspond to:\n```\n(.*)\n```", text)
    return found and pa.chunked_array([pa.array([None if v == "null" else int(v) for v in found[1].split(", ")], pa.timestamp("us"))])


def column(pf, name, c=None):
    c = c or pf.read(columns=[name]).column(name)
    t = c.type
    if pa.types.is_temporal(t):
        c = c.cast(pa.int32() if t.bit_width == 32 else pa.int64())
    crc = 0
    for text in map(deep, c) if pa.types.is_nested(t) else (line(t, v) for v in c.to_pylist()):
        crc = zlib.crc32((text + "\n").encode(), crc)
    return {"type": str(t), "rows": len(c), "nulls": c.null_count, "crc": "%08x" % crc}


def file(path):
    out = {}
    try:
        pf = pq.ParquetFile(path, page_checksum_verification=True)
    except Exception as e:
        return {"error": type(e).__name__}
    for f in pf.schema_arrow:
        if not known(f.type):
            out[f.name] = {"unknown": True}
            continue
        try:
            out[f.name] = column(pf, f.name, told(path))
        except Exception as e:
            out[f.name] = {"error": type(e).__name__}
    return {"rows": sum(pf.metadata.row_group(i).num_rows for i in range(pf.metadata.num_row_groups)), "columns": out}


def folder(root, out):
    names = []
    for d, _, fs in os.walk(root):
        names += [os.path.relpath(os.path.join(d, f), root) for f in fs if ".parquet" in f and not f.endswith(".json") and not f.endswith(".md")]
    json.dump({n: file(os.path.join(root, n)) for n in sorted(names)}, out, indent=1, sort_keys=True)


decimal.getcontext().prec = 80
if __name__ == "__main__":
    folder(sys.argv[1], sys.stdout)
