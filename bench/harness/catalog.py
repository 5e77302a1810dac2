"""What is measured: data sets, and cases, which are a workload's files over a data set at a memory bound.

A case's name is stable: reports of several invocations are merged by (name, rows). Targets are ratios
of a peer's time to pqjoin's; PARITY meets a target of 1, since two medians of one thing differ by that much.
"""

import argparse
from dataclasses import dataclass, field

PARITY = 1.05
PEERS = ("duckdb", "polars", "pandas", "dask")
FAST = PEERS[:3]  # without Dask, which is stopped at 256 MB whatever the work is: it is shown in some cases of each kind
FAMILIES = ("seed", "join", "group", "h2o-group", "h2o-join", "tpch", "window", "asof", "width", "order", "scale", "threads", "start-up")
KEYS = 10_000  # of the seed's tables


@dataclass(frozen=True)
class Dataset:
    """Tables by name, each with the arguments that bin/benchgen makes it with; seeded by the name's place."""

    name: str
    tables: dict = field(hash=False)


@dataclass(frozen=True)
class Case:
    name: str
    family: str
    job: str  # the stem of its files in bench/workloads
    data: Dataset
    rows: int  # of the largest table
    mem: str
    targets: dict = field(default_factory=dict, hash=False)  # engine -> ratio
    sorted_by: str = ""  # the output's files, in order, must not fall in this column
    peers: tuple = PEERS
    threads: int = 2
    survival: bool = False  # peers are run in a cgroup, too


def count(n):
    """10000000 as 10M."""
    for unit, size in (("M", 10**6), ("k", 10**3)):
        if n >= size and n % (size // 10) == 0:
            return f"{n / size:g}{unit}"
    return str(n)


def table(kind, rows, *more):
    return ("-table", kind, "-rows", str(max(1, int(rows))), *map(str, more))


def seed_data(n, right=None):
    """Files of a million rows, and eight at least of the left: Dask does not sort what comes in two."""
    right = right or n // 10
    files = ("-rows-per-file", max(1, min(10**6, n // 8)))
    return Dataset(f"seed-{count(n)}-{count(right)}", {"test": table("seed-test", n, *files), "test2": table("seed-test2", right)})


def seed(opt):
    data = seed_data(opt.rows)
    jobs = (("index", {"duckdb": 3}), ("index-lag", {"duckdb": 4, "duckdb-loose": 4}), ("whole", {"duckdb": 3, "duckdb-loose": 3}))
    for job, targets in jobs:
        for mem in ("1GB", "256MB"):
            yield Case(f"{job}-{mem}", "seed", job, data, opt.rows, mem, targets, sorted_by="col1", survival=True)


def join(opt):
    n, small = opt.rows, opt.rows // 10
    right = lambda rows: table("group", rows, "-unique", "-seed", 2)
    one = Dataset(f"join-{count(n)}-{count(small)}", {"left": table("group", n, "-keys", small), "right": right(small)})
    both = Dataset(f"join-{count(n)}-{count(n)}", {"left": table("group", n, "-unique"), "right": right(n)})
    # As many rows on the right as make the join's 10^9 (or opt.product) rows.
    multiply = seed_data(n, max(KEYS, opt.product // n * KEYS))
    yield Case("join-indexed", "join", "join-indexed", one, n, "256MB", {"duckdb": 2}, sorted_by="key", peers=FAST, survival=True)
    yield Case("join-large", "join", "join-large", one, n, "256MB", {"duckdb": 2}, survival=True)
    yield Case("join-large-both", "join", "join-large", both, n, "256MB", {"duckdb": 2}, peers=FAST, survival=True)
    yield Case("multiply-aggregate", "join", "multiply-aggregate", multiply, n, "256MB",
               {"duckdb": 20, "duckdb-hand": 1}, peers=("duckdb", "polars"), survival=True)


def group(opt):
    for name, groups, ratio in (("10k", KEYS, 2), ("tenth", opt.rows // 10, 4), ("43-percent", opt.rows * 43 // 100, 4)):
        data = Dataset(f"group-{count(opt.rows)}-{name}", {"group": table("group", opt.rows, "-keys", groups)})
        yield Case(f"group-{name}", "group", "group", data, opt.rows, "256MB", {"duckdb": ratio},
                   peers=PEERS if name == "tenth" else FAST, survival=True)


HEAVY = (3, 6, 10)  # h2o's questions of most groups: where memory may run out
VARIANTS = (("", ()), ("-nulls", ("-nulls", 5)), ("-sorted", ("-sorted",)))


def h2o_group(opt):
    for variant, flags in VARIANTS:
        data = Dataset(f"h2o-g1-{count(opt.rows)}{variant}", {"g1": table("h2o-g1", opt.rows, *flags)})
        for q in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10):
            yield Case(f"h2o-group-q{q}{variant}", "h2o-group", f"h2o-group-q{q}", data, opt.rows, "2GB", {"duckdb": 1},
                       peers=("duckdb",) if variant else FAST, survival=not variant and q in HEAVY)


def h2o_join(opt):
    for variant, flags in VARIANTS:
        tables = {"x": table("h2o-j1-x", opt.rows, *flags)}
        tables |= {right: table(f"h2o-j1-{right}", opt.rows, *flags) for right in ("small", "medium", "big")}
        data = Dataset(f"h2o-j1-{count(opt.rows)}{variant}", tables)
        for q in (1, 2, 3, 4, 5):
            yield Case(f"h2o-join-q{q}{variant}", "h2o-join", f"h2o-join-q{q}", data, opt.rows, "2GB", {"duckdb": 1},
                       peers=("duckdb",) if variant else ("duckdb", "polars"), survival=not variant and q == 5)


def tpch(opt):
    data = Dataset(f"tpch-{count(opt.rows)}", {name: table(f"tpch-{name}", opt.rows) for name in ("lineitem", "orders", "customer")})
    for q in ("q1", "q6", "q12", "q3"):
        yield Case(f"tpch-{q}", "tpch", f"tpch-{q}", data, opt.rows, "2GB", {"duckdb": 1}, peers=("duckdb", "polars"))


def few_and_many(opt):
    """How many symbols: few large groups, and many small ones."""
    return (("1k", 1000), ("hundredth", max(opt.rows // 100, 1)))


def window(opt):
    for name, symbols in few_and_many(opt):
        data = Dataset(f"trades-{count(opt.rows)}-{name}", {"trades": table("trades", opt.rows, "-keys", symbols)})
        yield Case(f"window-{name}", "window", "window", data, opt.rows, "512MB", {"duckdb": 1}, peers=FAST, survival=True)


def asof(opt):
    for name, symbols in few_and_many(opt):
        both = {kind: table(kind, opt.rows, "-keys", symbols) for kind in ("trades", "quotes")}
        data = Dataset(f"ticks-{count(opt.rows)}-{name}", both)
        yield Case(f"asof-{name}", "asof", "asof", data, opt.rows, "512MB", {"duckdb": 1}, peers=FAST, survival=True)


def width(opt):
    for types in ("int", "string", "null"):
        for columns in (3, 30, 300):
            rows = opt.rows * 3 // columns
            data = Dataset(f"wide-{count(rows)}-{columns}-{types}", {"wide": table("wide", rows, "-columns", columns, "-types", types)})
            yield Case(f"width-{columns}-{types}", "width", "width", data, rows, "512MB", sorted_by="key", peers=("duckdb",))


def order(opt):
    for kind in ("random", "sorted", "reversed", "zipf"):
        data = Dataset(f"order-{count(opt.rows)}-{kind}", {"wide": table("wide", opt.rows, "-columns", 3, "-types", "int", "-order", kind)})
        yield Case(f"order-{kind}", "order", "width", data, opt.rows, "256MB", sorted_by="key", peers=("duckdb",))


def scale(opt):
    for rows in opt.scale_rows or [opt.rows * k for k in (1, 3, 10)]:
        data = Dataset(f"scale-{count(rows)}", {"test": table("seed-test", rows)})
        yield Case(f"scale-{count(rows)}", "scale", "index", data, rows, opt.scale_mem, sorted_by="col1", peers=())


def threads(opt):
    """Rows enough that two threads have something to share: a small table is read before the second one has begun."""
    opt = argparse.Namespace(**vars(opt) | {"rows": min(10 * opt.rows, max(opt.rows, 20_000_000))})
    indexed, grouped = list(seed(opt))[0], list(group(opt))[0]
    for job, case in (("index", indexed), ("group", grouped)):
        for n in (1, 2):
            yield Case(f"{job}-{n}-threads", "threads", job, case.data, opt.rows, "1GB", threads=n, sorted_by=case.sorted_by, peers=())


def start_up(opt):
    data = seed_data(1000)
    yield Case("version", "start-up", "", data, 0, "256MB", peers=())
    yield Case("1000-rows", "start-up", "index", data, 1000, "256MB", sorted_by="col1", peers=())


MAKERS = dict(zip(FAMILIES, (seed, join, group, h2o_group, h2o_join, tpch, window, asof, width, order, scale, threads, start_up)))


def cases(opt):
    """The cases that the options choose, in the families' order."""
    for family in FAMILIES:
        if family in opt.families:
            for case in MAKERS[family](opt):
                if not opt.workloads or case.name in opt.workloads or case.job in opt.workloads:
                    yield case


def once_each(all_cases):
    """One case of every workload: what a smoke test runs."""
    seen = set()
    for case in all_cases:
        if case.job not in seen:
            seen.add(case.job)
            yield case
