#!/usr/bin/env python3
"""run.py [FLAGS]: runs the benchmark and writes docs/benchmarks.md. run.py report FILE...: the report alone, of one run's
records or of several runs'. README.md says how to read and extend it.
"""

import argparse
import os
import shutil
import signal
import sys
import time

from harness import bench, catalog, report

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)


def words(text):
    return [w for w in text.replace(",", " ").split() if w]


def numbers(text):
    return [int(float(w)) for w in words(text)]


def parser():
    p = argparse.ArgumentParser(description="Runs the benchmark; `run.py report FILE...` only writes the report.")
    p.add_argument("--rows", type=lambda s: int(float(s)), default=2_000_000, help="rows of the large tables (default 2000000)")
    p.add_argument("--families", type=words, default=list(catalog.FAMILIES), help="of " + ",".join(catalog.FAMILIES))
    p.add_argument("--workloads", type=words, default=[], help="cases or workloads by name; default: all of the families")
    p.add_argument("--engines", type=words, default=["pqjoin", *catalog.PEERS], help="of pqjoin," + ",".join(catalog.PEERS))
    p.add_argument("--runs", type=int, default=3, help="rounds; times are medians (default 3)")
    p.add_argument("--mem", default="", help="memory for every case, such as 512MB; default: each case's own")
    p.add_argument("--timeout", type=float, default=120, help="seconds a run may take (default 120)")
    p.add_argument("--patience", type=float, default=30, help="times pqjoin's time that a peer may take, above 10 s (default 30)")
    p.add_argument("--once-over", type=float, default=3, help="an engine that takes more seconds than this is run once (default 3)")
    p.add_argument("--scale-rows", type=numbers, default=[], help="sizes of the scale family; default: 1, 3 and 10 times --rows")
    p.add_argument("--scale-mem", default="128MB", help="their memory bound (default 128MB)")
    p.add_argument("--product", type=lambda s: int(float(s)), default=10**9, help="rows that the multiplying join makes (default 1e9)")
    p.add_argument("--no-survival", dest="survival", action="store_false", help="do not run peers in cgroups")
    p.add_argument("--data", default=os.path.join(ROOT, "bench-data"), help="where data, temporary files and records go; on the disk to measure")
    p.add_argument("--keep", action="store_true", help="keep the data sets that were made")
    p.add_argument("--results", default="", help="the record file; default: DATA/results/TIME.jsonl")
    p.add_argument("--out", default=os.path.join(ROOT, "docs"), help="where benchmarks.md and benchmarks/ are written")
    p.add_argument("--bin", default=os.path.join(ROOT, "bin/pqjoin"))
    p.add_argument("--generator", default=os.path.join(ROOT, "bin/benchgen"))
    p.add_argument("--smoke", action="store_true", help="every workload once, small: does the harness still work?")
    return p


def small(opt):
    """What a smoke test leaves of the options."""
    opt.rows, opt.runs, opt.survival, opt.product, opt.timeout = 20_000, 1, False, 10**6, 60
    return opt


def say(text):
    print(text, file=sys.stderr, flush=True)


def shown(argv):
    """The flags for the report, without paths of this machine."""
    hidden, out = ("--data", "--out", "--results", "--bin", "--generator"), []
    words_left = iter(argv)
    for word in words_left:
        if word.split("=")[0] in hidden:
            if "=" not in word:
                next(words_left, None)
            continue
        out.append(word)
    return out


def main(argv):
    if argv[:1] == ["report"]:
        p = argparse.ArgumentParser(prog="run.py report")
        p.add_argument("files", nargs="+")
        p.add_argument("--out", default=os.path.join(ROOT, "docs"))
        opt = p.parse_args(argv[1:])
        return finish(opt.files, opt.out, [])
    opt = parser().parse_args(argv)
    opt.argv = shown(argv)
    unknown = [f for f in opt.families if f not in catalog.FAMILIES] + [e for e in opt.engines if e not in ("pqjoin", *catalog.PEERS)]
    if unknown:
        raise SystemExit(f"no such family or engine: {', '.join(unknown)}")
    chosen = list(catalog.cases(small(opt) if opt.smoke else opt))
    if opt.smoke:
        chosen = list(catalog.once_each(chosen))
    if not chosen:
        raise SystemExit("no such workload")
    for flag, program in ("--bin", opt.bin), ("--generator", opt.generator):
        if not os.access(program, os.X_OK) or os.path.isdir(program):
            raise SystemExit(f"run.py: {flag}: there is no program at {program}; `make build bin/benchgen` makes both that it needs")
    return run(opt, chosen)


def run(opt, chosen):
    opt.data = os.path.abspath(opt.data)
    results = os.path.abspath(opt.results) if opt.results else f"{opt.data}/results/{time.strftime('%Y%m%d-%H%M%S')}.jsonl"
    for directory in (opt.data, os.path.dirname(results)):
        os.makedirs(directory, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what runs is stopped, what was made is removed
    b = bench.Bench(opt, results, chosen, say)
    try:
        b.begin()
        for case in chosen:
            b.case(case)
    finally:
        shutil.rmtree(b.work, ignore_errors=True)
        shutil.rmtree(b.reference, ignore_errors=True)
    say(f"records: {results}")
    return finish([results], opt.out, b.wrong + b.failed, smoke=opt.smoke)


def finish(files, docs, wrong, smoke=False):
    missed = report.write(files, docs, os.path.join(HERE, "notes.md"))
    targets = "so small, times say nothing of targets" if smoke else f"{len(missed)} targets are missed"
    say(f"wrote {docs}/benchmarks.md; {targets}")
    for what in wrong:
        say(f"FAILED: {what}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
