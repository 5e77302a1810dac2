"""Numbers as the report prints them."""


def seconds(x):
    """Three digits, down to the millisecond."""
    return f"{x:.0f}" if x >= 100 else f"{x:.1f}" if x >= 10 else f"{x:.2f}" if x >= 1 else f"{x:.3f}"


def ratio(x):
    return f"{x:.0f}x" if x >= 20 else f"{x:.1f}x" if x >= 9.95 else f"{x:.2f}x"


def gigabytes(x):
    """Bytes, in the largest decimal unit that leaves a whole number before the point."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if x >= size:
            return f"{x / size:.3g} {unit}" if x < 100 * size else f"{x / size:.0f} {unit}"
    return f"{x:.0f} B"


def joined(words):
    return " or ".join(words)


def rows(n):
    return f"{n:,}"


def table(header, lines):
    """A table in Markdown; header names begin with ">" where the column is of numbers."""
    out = ["| " + " | ".join(h.lstrip(">") for h in header) + " |", "|" + "|".join(" ---: " if h.startswith(">") else " --- " for h in header) + "|"]
    out += ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join(out) + "\n\n"


def mark(met):
    return {True: "yes", False: "**no**", None: "-"}[met]
