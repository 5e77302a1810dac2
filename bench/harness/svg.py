"""Horizontal bars as SVG, grouped, linear or logarithmic, readable on light and dark pages."""

import math
from html import escape

BAR, GAP, LABEL, WIDTH, RIGHT = 11, 8, 190, 760, 110
LIGHT = {"pqjoin": "#0969da", "duckdb": "#c69000", "duckdb-hand": "#8a6d1a", "duckdb-loose": "#e0b84c", "polars": "#8250df", "pandas": "#57606a", "dask": "#cf5c36"}
DARK = {"pqjoin": "#58a6ff", "duckdb": "#e3b341", "duckdb-hand": "#9e7a1f", "duckdb-loose": "#f2cc60", "polars": "#bc8cff", "pandas": "#9aa4af", "dask": "#f0883e"}

OTHER = "#888888"


def style(names):
    def rules(ink, faint, colours):
        bars = "".join(f".{name}{{fill:{colours.get(name, OTHER)}}}" for name in names)
        return f"text{{fill:{ink}}}line{{stroke:{faint}}}{bars}"
    return ("<style>text{font:11px system-ui,sans-serif}line{stroke-width:1}.t{font-weight:600}.r{text-anchor:end}.m{text-anchor:middle}"
            + rules("#1f2328", "#d1d9e0", LIGHT) + "@media (prefers-color-scheme:dark){" + rules("#e6edf3", "#3d444d", DARK) + "}</style>")


def ticks(low, high, log):
    if log:
        return [10.0**e for e in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]
    step = 10 ** math.floor(math.log10(high))
    step = next(s for s in (step / 5, step / 2, step, step * 2) if high / s <= 6)
    return [step * i for i in range(math.ceil(high / step) + 1)]


def short(x):
    return f"{x:.3g}" if x < 1000 else f"{x:,.0f}"


def bars(title, unit, groups, log=False):
    """A picture of groups, (label, [(engine, value, text)]); value None draws the text alone."""
    values = [v for _, rows in groups for _, v, _ in rows if v]
    if not values:
        return ""
    marks = ticks(min(values), max(values), log)
    low, high = marks[0], marks[-1]
    span = WIDTH - LABEL - RIGHT

    def x(v):
        part = (math.log10(v / low) / math.log10(high / low)) if log else v / high
        return LABEL + span * max(0.0, min(1.0, part))

    names = list(dict.fromkeys(engine for _, rows in groups for engine, _, _ in rows))
    top = 46
    height = top + sum(len(rows) * BAR + GAP for _, rows in groups) + 22
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">', style(names),
           f'<text class="t" x="8" y="16">{escape(title)}</text>', legend(names)]
    for mark in marks:
        out.append(f'<line x1="{x(mark):.1f}" x2="{x(mark):.1f}" y1="{top - 4}" y2="{height - 18}"/>')
        out.append(f'<text class="m" x="{x(mark):.1f}" y="{height - 6}">{short(mark)} {unit}</text>')
    y = top
    for label, rows in groups:
        out.append(f'<text class="r" x="{LABEL - 8}" y="{y + len(rows) * BAR / 2 + 4:.1f}">{escape(label)}</text>')
        for engine, value, text in rows:
            if value:
                out.append(f'<rect class="{engine}" x="{LABEL}" y="{y}" width="{max(1.0, x(value) - LABEL):.1f}" height="{BAR - 2}"/>')
            out.append(f'<text x="{(x(value) if value else LABEL) + 4:.1f}" y="{y + BAR - 2}">{escape(text)}</text>')
            y += BAR
        y += GAP
    return "\n".join([*out, "</svg>"]) + "\n"


def legend(names):
    x, out = LABEL, []
    for name in names:
        out.append(f'<rect class="{name}" x="{x}" y="25" width="10" height="10"/><text x="{x + 14}" y="34">{escape(name)}</text>')
        x += 30 + 7 * len(name)
    return "".join(out)
