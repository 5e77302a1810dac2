"""child.py ENGINE FILE SPEC: a peer does one workload, in a process of its own, and prints what it took.

SPEC is JSON: tables (files of each), out, tmp, mem (bytes), threads. The last line printed is {"wall": seconds, "cpu":
seconds} of the work alone: the interpreter's start, imports, connections and clusters are the peer's for free.
"""

import json
import os
import re
import runpy
import sys
import time

LEAST = 250 * 10**6  # bytes that a worker of Dask's needs to do anything at all
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_of(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:13])) / TICKS


def measured(work, workers=()):
    """Runs work and counts the CPU time of this process and of its workers."""
    pids = [os.getpid(), *workers]
    cpu, start = sum(map(cpu_of, pids)), time.perf_counter()
    work()
    return {"wall": time.perf_counter() - start, "cpu": sum(map(cpu_of, pids)) - cpu}


def fill(text, spec):
    """Replaces ${files:TABLE} by a list of files, and ${out}."""
    quote = lambda s: "'" + s.replace("'", "''") + "'"
    text = re.sub(r"\$\{files:(\w+)\}", lambda m: "[" + ", ".join(map(quote, spec["tables"][m[1]])) + "]", text)
    return text.replace("${out}", spec["out"].replace("'", "''"))


def duckdb(path, spec):
    import duckdb

    with open(path) as f:
        text = fill(f.read(), spec)
    con = duckdb.connect()
    con.execute(f"SET threads={spec['threads']}; SET memory_limit='{spec['mem']}B'; SET preserve_insertion_order=false")
    con.execute("SET temp_directory='" + spec["tmp"].replace("'", "''") + "'; SET enable_progress_bar=false")
    return measured(lambda: con.execute(text))


def polars(path, spec):
    import polars  # noqa: F401  its import is not measured

    work = runpy.run_path(path)["run"]
    return measured(lambda: work(spec["tables"], spec["out"]))


def pandas(path, spec):
    import pandas  # noqa: F401
    import pyarrow

    pyarrow.set_cpu_count(spec["threads"])
    work = runpy.run_path(path)["run"]
    return measured(lambda: work(spec["tables"], spec["out"]))


def dask(path, spec):
    import dask
    from dask.distributed import Client, LocalCluster

    dask.config.set({"temporary-directory": spec["tmp"]})
    work = runpy.run_path(path)["run"]
    n = spec["threads"] if spec["mem"] >= spec["threads"] * LEAST else 1  # one worker has room where two have not
    with LocalCluster(n_workers=n, threads_per_worker=spec["threads"] // n, memory_limit=spec["mem"] // n, dashboard_address=None) as cluster:
        with Client(cluster) as client:
            workers = client.run(os.getpid).values()
            return measured(lambda: work(spec["tables"], spec["out"]), workers)


def main(engine, path, spec):
    print(json.dumps({"duckdb": duckdb, "polars": polars, "pandas": pandas, "dask": dask}[engine](path, json.loads(spec))))


if __name__ == "__main__":
    main(*sys.argv[1:])
