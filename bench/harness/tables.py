"""One table and one picture for a family; what a family promises decides which kind.

Each maker returns the table's text, the picture, and what missed its target as (case, family, what).
"""

import statistics

from . import results, svg
from .text import gigabytes, mark, ratio, rows, seconds, table

SPREAD, LINEAR, SPEED_UP, START_UP = 2.0, 1.3, 1.7, 0.05
OVERALL = {"h2o-group": 2, "h2o-join": 2}


def family(name, found):
    maker = {"width": spread, "order": spread, "scale": linear, "threads": speed_up, "start-up": start_up}.get(name, against)
    return maker(name, found)


def took(m, result=None):
    """A time, or how the run ended, with the ratio to pqjoin's."""
    if m is None:
        return "-"
    if not m.done:
        return f"over {seconds(m.wall)}" if m.status == "timeout" else m.status
    if m.equal is False:
        return "**wrong**"
    star = "\\*" if m.runs == 1 else ""
    share = result.ratio(m.engine) if result else None
    return f"{seconds(m.wall)}{star}" + (f" ({ratio(share)})" if share else "")


def against(name, found):
    """pqjoin beside its peers, in seconds."""
    engines = results.order({e for r in found for e in r.free} - {"pqjoin"})
    lines, missed = [], []
    for r in found:
        targets = {e: t for e, t in r.targets.items() if e in r.free}
        verdicts = {e: r.verdict(e, t) for e, t in targets.items()}
        for e, met in verdicts.items():
            if met is False:
                got = ratio(r.ratio(e)) if r.ratio(e) else "pqjoin: " + r.pqjoin.status
                missed.append((r.case, name, f"{got} {e} at {rows(r.rows)} rows, the target is {targets[e]}x"))
        said = [met for met in verdicts.values() if met is not None]
        lines.append([r.case, rows(r.rows), r.mem, took(r.pqjoin), *(took(r.free.get(e), r) for e in engines),
                      ", ".join(f"{t}x" if e == "duckdb" else f"{e} {t}x" for e, t in targets.items()) or "-", mark(all(said) if said else None)])
    text = table(["workload", ">rows", ">memory", ">pqjoin, s", *(f">{e}, s" for e in engines), ">target", "met"], lines)
    for note, miss in overall(name, found):
        text += note
        missed += miss
    return text + costs(found), picture(f"{name}: seconds, less is better", found), missed


def overall(name, found):
    """The questions of a size together, where the family has a target for that."""
    if name not in OVERALL:
        return
    for n in sorted({r.rows for r in found}):
        part = [r for r in found if r.rows == n and r.ratio("duckdb")]
        if not part:
            continue
        ours, theirs = sum(r.pqjoin.wall for r in part), sum(r.free["duckdb"].wall for r in part)
        met = results.meets(theirs / ours, OVERALL[name])
        what = f"{len(part)} questions of {rows(n)} rows together: pqjoin {seconds(ours)} s, DuckDB {seconds(theirs)} s, {ratio(theirs / ours)}"
        yield f"{what}; the target is {OVERALL[name]}x, met: {mark(met)}.\n\n", [] if met else [(f"{name} together", name, what)]


def costs(found):
    """CPU, memory and disk of every engine, folded away."""
    lines = []
    for r in found:
        for e in results.order(r.free):
            m = r.free[e]
            if m.done:
                lines.append([r.case, rows(r.rows), e, seconds(m.cpu), gigabytes(m.peak), gigabytes(m.spilled), gigabytes(m.bytes)])
    header = ["workload", ">rows", "engine", ">CPU, s", ">peak memory", ">spilled", ">output"]
    return f"<details><summary>CPU, memory, spilled and written bytes</summary>\n\n{table(header, lines)}</details>\n\n"


def largest(found):
    """The largest size of each case: what a picture has room for."""
    best = {}
    for r in found:
        if r.case not in best or r.rows > best[r.case].rows:
            best[r.case] = r
    return list(best.values())


def picture(title, found, unit="s"):
    groups = []
    for r in largest(found):
        bars = []
        for e in results.order(r.free):
            m = r.free[e]
            fine = m.done and m.equal is not False
            bars.append((e, m.wall if fine else None, seconds(m.wall) if fine else took(m).strip("*")))
        groups.append((r.case, bars))
    return svg.bars(title, unit, groups, log=True)


def spread(name, found):
    """Cost of a decoded byte against the median case of its size."""
    missed, lines, groups = [], [], []
    good = [r for r in found if r.pqjoin and r.pqjoin.done and r.pqjoin.decoded]
    cost = {id(r): 1e9 * r.pqjoin.wall / r.pqjoin.decoded for r in good}
    for r in good:
        middle = statistics.median(cost[id(o)] for o in good if base_rows(o, name) == base_rows(r, name))
        share = cost[id(r)] / middle
        met = share <= SPREAD
        if not met:
            missed.append((r.case, name, f"{ratio(share)} the median case's cost of a byte at {rows(r.rows)} rows, the target is {SPREAD:g}x"))
        lines.append([r.case, rows(r.rows), gigabytes(r.pqjoin.decoded), took(r.pqjoin), f"{cost[id(r)]:.2f}", ratio(share), mark(met), took(r.free.get("duckdb"), r)])
    for r in [r for r in found if r not in good]:
        lines.append([r.case, rows(r.rows), "-", took(r.pqjoin), "-", "-", mark(False), took(r.free.get("duckdb"))])
        missed.append((r.case, name, f"pqjoin: {r.pqjoin.status if r.pqjoin else 'not run'}"))
    for r in largest(good):
        groups.append((r.case, [("pqjoin", cost[id(r)], f"{cost[id(r)]:.2f}")]))
    header = ["workload", ">rows", ">decoded", ">pqjoin, s", ">ns a byte", ">of the median", "within 2x", ">duckdb, s"]
    return table(header, lines) + costs(found), svg.bars(f"{name}: ns for a decoded byte", "ns", groups), missed


def base_rows(r, name):
    """The size that a case belongs to: wide tables have fewer rows in the same size."""
    return r.rows * int(r.case.split("-")[1]) if name == "width" else r.rows


def linear(name, found):
    """Time a row against the cheapest size; what did not spill is another kind of run, and is not judged."""
    good = [r for r in found if r.pqjoin and r.pqjoin.done]
    missed = [(r.case, name, "pqjoin did not finish") for r in found if r not in good]
    cost = {id(r): 1e9 * r.pqjoin.wall / r.rows for r in good}
    least = min((cost[id(r)] for r in good if r.pqjoin.spilled), default=0)
    lines, groups = [], []
    for r in good:
        share = cost[id(r)] / least if r.pqjoin.spilled else 0
        if share > LINEAR:
            missed.append((r.case, name, f"{ratio(share)} the least time a row, the target is {LINEAR:g}x"))
        lines.append([rows(r.rows), r.mem, took(r.pqjoin), f"{cost[id(r)]:.1f}", ratio(share) if share else "-", mark(share <= LINEAR if share else None), gigabytes(r.pqjoin.spilled), gigabytes(r.pqjoin.peak)])
        groups.append((f"{rows(r.rows)} rows", [("pqjoin", cost[id(r)], f"{cost[id(r)]:.1f}")]))
    header = [">rows", ">memory", ">pqjoin, s", ">ns a row", ">of the least", "within 1.3x", ">spilled", ">peak memory"]
    return table(header, lines), svg.bars("scale: ns a row", "ns", groups), missed


def speed_up(name, found):
    """One thread against two, by the job's name before the number."""
    missed, lines, groups = [], [], []
    by = {(r.case.rsplit("-", 2)[0], r.rows, r.threads): r for r in found if r.pqjoin and r.pqjoin.done}
    for job, n, threads in sorted(by):
        one, two = by[job, n, threads], by.get((job, n, 2))
        if threads != 1 or not two:
            continue
        share = one.pqjoin.wall / two.pqjoin.wall
        if share < SPEED_UP:
            missed.append((f"{job}-threads", name, f"{ratio(share)} at {rows(n)} rows, the target is {SPEED_UP:g}x"))
        lines.append([job, rows(n), one.mem, took(one.pqjoin), took(two.pqjoin), ratio(share), f"{SPEED_UP:g}x", mark(share >= SPEED_UP)])
        groups.append((f"{job}, {rows(n)} rows", [("pqjoin", r.pqjoin.wall, f"{k}: {seconds(r.pqjoin.wall)}") for k, r in (("1", one), ("2", two))]))
    header = ["workload", ">rows", ">memory", ">1 thread, s", ">2 threads, s", ">speed-up", ">target", "met"]
    return table(header, lines), svg.bars("threads: seconds with 1 and 2", "s", groups), missed


def start_up(name, found):
    missed, lines, groups = [], [], []
    for r in found:
        if not r.pqjoin or not r.pqjoin.done:
            missed.append((r.case, name, "pqjoin did not finish"))
            continue
        ms = r.pqjoin.wall * 1000
        if r.pqjoin.wall >= START_UP:
            missed.append((r.case, name, f"{ms:.0f} ms, the target is under {START_UP * 1000:.0f} ms"))
        lines.append([r.case, f"{ms:.0f}", f"under {START_UP * 1000:.0f}", mark(r.pqjoin.wall < START_UP)])
        groups.append((r.case, [("pqjoin", ms, f"{ms:.0f}")]))
    return table(["command", ">ms", ">target, ms", "met"], lines), svg.bars("start-up: milliseconds", "ms", groups), missed


def survival(found):
    """Peers inside a cgroup of the case's size: how each ended."""
    part = [r for r in found if r.cgroup]
    if not part:
        return ""
    names = results.order({e for r in part for e in r.free} - {"pqjoin"})
    lines = []
    for r in part:
        lines.append([r.case, rows(r.rows), r.mem, ended(r.pqjoin), *(ended(confined(r, e)) for e in names)])
    text = "## Who survives\n\nThe same work, with the peers, too, in a memory cgroup of exactly the size that they were told, once each; "
    text += "who did not finish without one was not tried.\n"
    text += "`killed`: by the kernel, for memory. `error`: it gave up by itself. `timeout`: it was stopped.\n\n"
    return text + table(["workload", ">rows", ">memory", "pqjoin", *names], lines)


def confined(r, engine):
    """How a peer fared in a cgroup; as without one where it did not finish even so."""
    free = r.free.get(engine)
    return r.cgroup.get(engine) or (free if free and not free.done else None)


def ended(m):
    return "-" if not m else f"done, {seconds(m.wall)} s" if m.done else f"**{m.status}**"
