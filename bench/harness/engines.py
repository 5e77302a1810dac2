"""The engines: which command does a case, and what its process says about itself.

An engine is pqjoin, a peer, or a peer's other way of writing the same work, such as duckdb-hand. It can do a
case if the workload has a file for it.
"""

import glob
import json
import os
import sys

from . import data

HERE = os.path.dirname(os.path.abspath(__file__))
WORKLOADS = os.path.join(os.path.dirname(HERE), "workloads")
SUFFIX = {"pqjoin": "yaml", "duckdb": "sql", "polars": "polars.py", "pandas": "pandas.py", "dask": "dask.py"}
UNITS = {"GB": 10**9, "MB": 10**6, "kB": 10**3}
TOLD = ("pqjoin", "duckdb", "dask")  # who can be told a memory bound


def size(text):
    """Bytes of a size such as 256MB, as --mem takes it."""
    for unit, n in UNITS.items():
        if text.endswith(unit):
            return int(float(text[: -len(unit)]) * n)
    return int(text)


def base(engine):
    return engine.split("-")[0]


def path(engine, case):
    """The file that an engine does a case with."""
    variant = engine[len(base(engine)) + 1 :]
    return os.path.join(WORKLOADS, ".".join(filter(None, [case.job, variant, SUFFIX[base(engine)]])))


def able(case, chosen):
    """The engines among chosen that do the case, pqjoin first, a peer's variants after it."""
    found = []
    for engine in ("pqjoin", *case.peers):
        if engine not in chosen:
            continue
        variants = glob.glob(os.path.join(WORKLOADS, f"{glob.escape(case.job)}.*.sql")) if engine == "duckdb" else []
        names = [engine] + sorted(f"{engine}-{v.split('.')[-2]}" for v in variants)
        found += [n for n in names if not case.job or os.path.exists(path(n, case))]
    return found


def columns(engine, case):
    """The columns that are verified, [] for all: what the file says in its first line, "verify: a b c"."""
    with open(path(engine, case)) as f:
        _, found, names = f.readline().partition("verify: ")
    return names.split() if found else []


def command(engine, case, opt, home, work):
    """The arguments of the process that does the case with data in home, output in work/out."""
    if engine == "pqjoin":
        if not case.job:
            return [opt.bin, case.name]
        return [opt.bin, "run", path(engine, case), "--mem", mem(case, opt), "--threads", str(case.threads), "--spill-dir", f"{work}/tmp",
                "--json", "--progress", "none", "--set", f"data={home}", "--set", f"out={work}/out"]
    spec = {"tables": data.tables(os.path.dirname(home), case.data), "out": f"{work}/out", "tmp": f"{work}/tmp",
            "mem": size(mem(case, opt)), "threads": case.threads}
    return [sys.executable, os.path.join(HERE, "child.py"), base(engine), path(engine, case), json.dumps(spec)]


def environment(case, work):
    """Threads and temporary files for the peers that read them from here."""
    return os.environ | {"TMPDIR": f"{work}/tmp", "POLARS_TEMP_DIR": f"{work}/tmp", "POLARS_MAX_THREADS": str(case.threads)}


def mem(case, opt):
    return opt.mem or case.mem


def told(engine, outcome):
    """What the process itself says: wall and CPU of a peer's work, spilled and decoded bytes of pqjoin's."""
    lines = outcome.stdout.strip().splitlines()
    if engine != "pqjoin":
        return json.loads(lines[-1]) | {"spilled": outcome.temp}
    if not lines or lines[0] != "{":
        return {"wall": outcome.wall, "cpu": outcome.cpu, "spilled": 0}
    summary = json.loads(outcome.stdout)
    return {"wall": outcome.wall, "cpu": outcome.cpu, "spilled": summary["spilled_bytes"], "decoded": summary["stages"][0]["bytes_in"],
            "peak": max(outcome.peak, summary["peak_anonymous_bytes"])}  # short runs end between two samples
