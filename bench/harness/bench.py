"""Runs cases: engines in turn, round by round, and writes a record of every run.

A round is one run of each engine. Before a run the disk is synced and the inputs are read once; after it
the output is verified against pqjoin's, the first time, and deleted. An engine that did not finish, or took longer than
opt.once_over, has no further rounds. A peer may take opt.patience times as long as pqjoin, and GRACE seconds at least.
"""

import collections
import json
import os
import re
import shutil
import subprocess
import sys
import time

from . import cgroup, data, engines, machine, measure

GRACE = 10
# Where peers run unrestricted, the kernel kills them rather than the machine.
WHOLE = 0.85


class Bench:
    def __init__(self, opt, results, cases, say):
        self.opt, self.results, self.say = opt, results, say
        self.uses = collections.Counter(case.data.name for case in cases)
        self.found = {name for name in self.uses if os.path.exists(os.path.join(opt.data, name))}  # not ours to remove
        self.wrong, self.failed = [], []  # other answers; pqjoin's failures
        self.work = os.path.join(opt.data, "run")
        self.reference = os.path.join(opt.data, "reference")

    def record(self, **fields):
        with open(self.results, "a") as f:
            f.write(json.dumps(fields) + "\n")

    def begin(self):
        about = machine.describe(self.opt.data, self.opt.bin)
        self.record(kind="machine", time=time.strftime("%Y-%m-%d"), cgroup=cgroup.possible(), argv=self.opt.argv, **about)

    def case(self, case):
        """All rounds of one case, then the peers' runs in a cgroup of the case's size."""
        opt = self.opt
        home = data.make(opt.generator, opt.data, case.data, self.say)
        names = engines.able(case, opt.engines)
        done = {}
        for i in range(opt.runs):
            for engine in [n for n in names if self.again(done.get(n))]:
                done[engine] = self.run(case, engine, home, done, "free", i)
        if case.survival and opt.survival and cgroup.possible():
            for engine in [n for n in names if n != "pqjoin" and done[n]["status"] == "done"]:
                self.run(case, engine, home, done, "cgroup", 0)
        shutil.rmtree(self.reference, ignore_errors=True)
        self.say(self.line(case, done))
        if not opt.keep:
            self.forget(case)

    def again(self, last):
        return last is None or (last["status"] == "done" and last["wall"] <= self.opt.once_over)

    def run(self, case, engine, home, done, place, i):
        """One run in a new directory; returns its record."""
        opt = self.opt
        shutil.rmtree(self.work, ignore_errors=True)
        os.makedirs(f"{self.work}/tmp")
        if engine != "pqjoin":
            os.makedirs(f"{self.work}/out")
        data.warm(opt.data, case.data)
        os.sync()
        bound = engines.size(engines.mem(case, opt))
        limit = bound if engine == "pqjoin" or place == "cgroup" else int(machine.memory() * WHOLE)
        argv = engines.command(engine, case, opt, home, self.work)
        outcome = measure.run(argv, env=engines.environment(case, self.work), work=self.work, limit=limit, timeout=self.timeout(engine, done))
        record = {"kind": "run", "case": case.name, "family": case.family, "rows": case.rows, "mem": engines.mem(case, opt), "bound": bound,
                  "threads": case.threads, "targets": case.targets, "engine": engine, "place": place, "round": i, "status": outcome.status,
                  "peak": outcome.peak, "limited": outcome.limited, "bytes": data.size(f"{self.work}/out", held=False)}
        if outcome.status == "done":
            record |= engines.told(engine, outcome)
            if i == 0 and place == "free":
                record |= self.verify(case, engine)
        else:
            record |= {"wall": outcome.wall, "why": reason(outcome)}
        self.note(case, record)
        self.record(**record)
        shutil.rmtree(self.work, ignore_errors=True)
        return record

    def note(self, case, record):
        """Says how a run failed; that of pqjoin, and any in a smoke test, fails the bench."""
        if record["status"] == "done" or record["place"] == "cgroup":
            return
        what = f"{case.name}: {record['engine']}: {record['status']}: {record['why']}"
        self.say(what)
        if record["engine"] == "pqjoin" or self.opt.smoke:
            self.failed.append(what)

    def timeout(self, engine, done):
        first = done.get("pqjoin")
        if engine == "pqjoin" or not first or first["status"] != "done":
            return self.opt.timeout
        return min(self.opt.timeout, max(GRACE, first["wall"] * self.opt.patience))

    def verify(self, case, engine):
        """Compares the output with the first engine's, which is kept; fields for the record."""
        if not case.job:
            return {}
        if not os.path.exists(self.reference):
            shutil.copytree(f"{self.work}/out", self.reference, copy_function=os.link)
            return {} if case.peers or not case.sorted_by else self.judge(case, engine, self.reference)
        return self.judge(case, engine, f"{self.work}/out")

    def judge(self, case, engine, output):
        argv = [sys.executable, os.path.join(engines.HERE, "verify.py"), self.reference, output, case.sorted_by]
        ran = subprocess.run(argv + engines.columns(engine, case), capture_output=True, text=True)
        if ran.returncode != 0:
            raise SystemExit(f"{case.name}: {engine}'s output cannot be compared: {ran.stderr}")
        found = json.loads(ran.stdout)
        if not found["equal"]:
            self.wrong.append(f"{case.name}: {engine} differs: {found['why']}")
            self.say(f"MISMATCH {self.wrong[-1]}")
        return {"equal": found["equal"], "rows_out": found["rows"]}

    def line(self, case, done):
        def cell(r):
            return f"{r['wall']:.2f}s" if r["status"] == "done" else r["status"]
        return f"{case.name:28} " + "  ".join(f"{engine} {cell(r)}" for engine, r in done.items())

    def forget(self, case):
        """Removes a data set that no later case reads."""
        name = case.data.name
        self.uses[name] -= 1
        if not self.uses[name] and name not in self.found:
            shutil.rmtree(os.path.join(self.opt.data, name), ignore_errors=True)


def reason(outcome):
    """The last line of what the process said, without paths."""
    lines = [line for line in outcome.stderr.strip().splitlines() if line.strip()]
    return re.sub(r"(/[\w.+-]+)+/", "", lines[-1].strip())[:200] if lines else ""
