"""Reads records back, merges invocations and takes medians: what the report is made of.

A case that a later invocation ran again replaces the earlier one whole, so that every ratio is of runs that took turns.
"""

import json
import statistics
from dataclasses import dataclass, field

from . import catalog, engines


# The targets of these families are of tables this large; smaller ones are measured without a verdict.
LARGE, TARGET_ROWS = ("seed", "join", "group", "h2o-group", "h2o-join"), 10**8


@dataclass
class Measured:
    """One engine's runs of a case: medians where all finished, else how the first that did not finish ended."""

    engine: str
    status: str
    runs: int = 0
    wall: float = 0
    cpu: float = 0
    peak: int = 0
    spilled: int = 0
    bytes: int = 0
    decoded: int = 0
    equal: bool | None = None

    @property
    def done(self):
        return self.status == "done"


@dataclass
class Result:
    case: str
    family: str
    rows: int
    mem: str
    threads: int
    targets: dict
    invocation: int  # which of the machine records is that of its runs, counted from 1
    limited: bool = False  # whether pqjoin ran in a cgroup every time
    free: dict = field(default_factory=dict)  # engine -> Measured
    cgroup: dict = field(default_factory=dict)

    @property
    def pqjoin(self):
        return self.free.get("pqjoin")

    def ratio(self, engine):
        """A peer's time over pqjoin's, or None where one of them has no right answer."""
        a, b = self.pqjoin, self.free.get(engine)
        return b.wall / a.wall if a and b and a.done and b.done and b.equal is not False else None

    def verdict(self, engine, target):
        """True, False, or None where nothing can be said. A peer that was stopped took at least its time."""
        a, b = self.pqjoin, self.free.get(engine)
        if b is None or a is None:
            return None
        if not a.done:
            return False
        if b.status == "timeout":
            return meets(b.wall / a.wall, target) or None
        return meets(self.ratio(engine), target) if self.ratio(engine) else None


def meets(ratio, target):
    return ratio >= (target / catalog.PARITY if target == 1 else target)


def load(paths):
    """All records of the files, each with the number of its invocation, and the invocations' machine records."""
    records, machines = [], []
    for path in paths:
        with open(path) as f:
            for line in f:
                record = json.loads(line)
                if record["kind"] == "machine":
                    machines.append(record)
                else:
                    records.append(record | {"invocation": len(machines)})
    return records, machines


def merge(records):
    """The results, by family in the catalogue's order, then as they were run, small tables first."""
    latest = {}
    for r in records:
        latest[identity(r)] = r["invocation"]
    runs = {}
    for r in records:
        if latest[identity(r)] == r["invocation"]:
            runs.setdefault(identity(r), []).append(r)
    results = [result(group) for group in runs.values()]
    place = {name: i for i, name in enumerate(dict.fromkeys(r["case"] for r in records))}
    return sorted(results, key=lambda r: (catalog.FAMILIES.index(r.family), place[r.case], r.rows))


def identity(r):
    return r["case"], r["rows"], r["mem"], r["threads"]


def result(runs):
    first = runs[0]
    out = Result(*(first[name] for name in ("case", "family", "rows", "mem", "threads", "targets", "invocation")))
    if out.family in LARGE and out.rows < TARGET_ROWS:
        out.targets = {}
    ours = [r["limited"] for r in runs if r["engine"] == "pqjoin"]
    out.limited = bool(ours) and all(ours)
    for place in ("free", "cgroup"):
        by_engine = {}
        for r in runs:
            if r["place"] == place:
                by_engine.setdefault(r["engine"], []).append(r)
        getattr(out, place).update({engine: medians(engine, group) for engine, group in by_engine.items()})
    return out


def medians(engine, runs):
    done = [r for r in runs if r["status"] == "done"]
    if len(done) < len(runs):
        failed = next(r for r in runs if r["status"] != "done")
        return Measured(engine, failed["status"], len(runs), wall=failed["wall"], peak=failed["peak"])
    middle = {name: statistics.median(r.get(name, 0) for r in done) for name in ("wall", "cpu", "peak", "spilled", "bytes", "decoded")}
    verdicts = [r["equal"] for r in done if "equal" in r]
    return Measured(engine, "done", len(done), **middle, equal=all(verdicts) if verdicts else None)


def order(names):
    """Engines as they are listed everywhere: pqjoin, the peers, each before its variants."""
    rank = ("pqjoin", *catalog.PEERS)
    return sorted(names, key=lambda n: (rank.index(engines.base(n)), n))
