"""docs/benchmarks.md and its pictures, from records alone: every number in them was measured by this harness."""

import os

from . import catalog, results, tables
from .text import gigabytes, joined

TITLES = {
    "seed": ("The seed's job", "The job that made Dask run out of memory: index, four lags of a logarithm, a join; in steps."),
    "join": ("Joins", "Each row finds its one row, over an index and without; two tables of one size; and a join that multiplies before it is added up."),
    "group": ("Group-by", "A count, a sum and a mean over few keys, many keys, and nearly as many keys as rows."),
    "h2o-group": ("h2o group-by", "The questions of h2o's db-benchmark over its table G1, strings included: plain, with nulls (5 %), and sorted."),
    "h2o-join": ("h2o join", "The questions of h2o's db-benchmark over its tables J1: plain, with nulls (5 %), and sorted."),
    "tpch": ("TPC-H-like", "Scans with filters on dates and decimals, and joins of lineitem, orders and customer."),
    "window": ("Window functions", "A rolling mean, a running sum, a rank and a look ahead over the trades of a thousand symbols, and of a hundredth as many as rows."),
    "asof": ("As-of joins", "Trades with the quote before them, by symbol: a thousand symbols, and a hundredth as many as rows."),
    "width": ("Width and types", "One number of cells as 3, 30 and 300 columns of integers, strings and nulls, indexed by a key."),
    "order": ("Order of the keys", "Three columns indexed by a key that comes at random, sorted, reversed, and as Zipf has it."),
    "scale": ("Linear cost", "The same index over more and more rows, at a bound that makes each of them spill."),
    "threads": ("Threads", "One thread and two."),
    "start-up": ("Start-up", "What a command costs that has nothing to do."),
}

HEAD = """# Benchmarks

Written by `make bench`; edit nothing here. `bench/README.md` says how to run it, and how to add to it.

"""

METHOD = """## How it is measured

- Each workload is one job file for pqjoin and the same work as each peer's user would write it, in `bench/workloads`. Every
  engine reads the same Parquet files and writes its result as Parquet with snappy.
- Engines take turns, round by round; times are medians. A time with a star was taken once, as long ones are. A peer is
  stopped (`over`) when it takes very much longer than pqjoin.
- **pqjoin's time is that of the whole process**, from its start to its end. **A peer's is that of the work alone**: its interpreter's start, its imports, the start of a cluster and
  the end of the process are not counted. pqjoin's output is on the disk when its time ends (fsync); the peers leave theirs to the kernel. The start is the exec: before it the process is moved into its
  cgroup, for which the kernel may take tens of milliseconds.
- {cgroup} DuckDB (`memory_limit`) and Dask (`memory_limit` of its workers together) are told the same size, but are not held to it here; Polars and pandas cannot be told.
  "Who survives" has the peers inside a cgroup of that size, too.
- Everybody has {threads} threads: DuckDB by `threads`, Polars by `POLARS_MAX_THREADS`, Dask by as many workers of one thread,
  or one worker of as many threads where two would have less than 250 MB each; pandas takes what it takes. DuckDB runs with `preserve_insertion_order=false`.
- Inputs are in the page cache: every file is read once before each run. Dirty pages of the run before are written out first.
- Results are compared by DuckDB: rows, nulls, and hashes of all columns; floats by sums, also weighted with hashes of the rest of the row, to 1e-9; an index also by
  its order in the files. An engine with another answer is shown as `wrong`.
- Memory is anonymous memory (`RssAnon`) of all processes, sampled every 20 ms, interpreters included. Spilled bytes are pqjoin's own count; for the peers the most that their temporary directory
  held at one time, sampled every 200 ms.
- DuckDB's variants: `hand` is the SQL that a careful person writes instead; `loose` leaves the order within a key open, which is less work and another answer.
- A ratio is the peer's time over pqjoin's: above 1, pqjoin is ahead. A target of 1 is met by 1.05 times the peer's time. The targets of the seed's job, of joins, group-bys and
  h2o's questions are of 100 million rows; smaller tables are measured without a verdict.

"""


def write(paths, docs, notes_path):
    """Makes docs/benchmarks.md and docs/benchmarks/FAMILY.svg from the record files."""
    records, machines = results.load(paths)
    found = results.merge(records)
    os.makedirs(f"{docs}/benchmarks", exist_ok=True)
    text, missed = [HEAD, about(machines, found), method(machines, found)], []
    for family, (title, what) in TITLES.items():
        part = [r for r in found if r.family == family]
        if not part:
            continue
        text.append(f"## {title}\n\n{what}\n\n")
        table, picture, misses = tables.family(family, part)
        if picture:
            with open(f"{docs}/benchmarks/{family}.svg", "w") as f:
                f.write(picture)
            text.append(f"![{title}](benchmarks/{family}.svg)\n\n")
        text.append(table)
        missed += misses
    text += [tables.survival(found), misses_text(missed, notes(notes_path))]
    with open(f"{docs}/benchmarks.md", "w") as f:
        f.write("".join(text).rstrip() + "\n")
    return missed


def about(machines, found):
    """The machine, in one table: a row for each value that a record file has there, so one where all agree."""
    out = ["## Machine\n\n| | |\n| --- | --- |\n"]
    peers = lambda m: ", ".join(f"{name} {v}" for name, v in m["versions"].items() if name != "pqjoin")
    shown = {"CPU": lambda m: f"{m['cpu']}, {m['cores']} cores", "memory": lambda m: gigabytes(m["memory"]), "disk": lambda m: m["disk"],
             "kernel": lambda m: f"Linux {m['kernel']}", "versions": lambda m: f"{peers(m)}, Python {m['python']}", "date": lambda m: m["time"]}
    for name, value in shown.items():
        out += [f"| {name} | {v} |\n" for v in dict.fromkeys(map(value, machines))]
    out += [f"| pqjoin | {line} |\n" for line in builds(machines, found)]
    out.append("\nRun as\n\n" + "".join(f"    bench/run.py {' '.join(m['argv'])}\n" for m in machines) + "\n")
    return "".join(out)


def builds(machines, found):
    """Which version of pqjoin each family was measured with; with its rows, where it is a part of the family."""
    by = {}  # version -> family -> numbers of rows
    for r in found:
        by.setdefault(machines[r.invocation - 1]["versions"]["pqjoin"], {}).setdefault(r.family, set()).add(r.rows)
    times = [family for families in by.values() for family in families]
    for version, families in by.items():
        parts = {}  # "", or of how many rows -> families
        for family, sizes in families.items():
            rows = "" if times.count(family) == 1 else f" of {', '.join(catalog.count(n) for n in sorted(sizes))} rows"
            parts.setdefault(rows, []).append(family)
        yield f"{version}: " + "; ".join(", ".join(names) + rows for rows, names in parts.items()) if len(by) > 1 else version


def method(machines, found):
    limited = [r.limited for r in found if r.pqjoin]
    cgroup = ("**pqjoin runs in a memory cgroup of exactly its `--mem`.**" if all(limited) else
              "**No memory cgroup could be made for some runs**, so pqjoin was held to `--mem` by itself alone there.")
    return METHOD.format(cgroup=cgroup, threads=joined(sorted({str(r.threads) for r in found if r.family != "threads"})) or "2")


def notes(path):
    """The reasons written by hand: text under a heading "## NAME", by name of the case or the family."""
    found, name = {}, None
    if not os.path.exists(path):
        return found
    with open(path) as f:
        for line in f:
            if line.startswith("## "):
                name = line[3:].strip()
                found[name] = ""
            elif name:
                found[name] += line
    return {name: " ".join(text.split()) for name, text in found.items()}


def misses_text(missed, reasons):
    if not missed:
        return "## What misses its target\n\nNothing.\n"
    out = ["## What misses its target\n\n"]
    for case, family, what in missed:
        reason = reasons.get(case) or reasons.get(family) or "No reason is written down yet."
        out.append(f"- **{case}**: {what}. {reason}\n")
    return "".join(out)
