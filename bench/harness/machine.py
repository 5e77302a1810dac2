"""The machine and the versions that a record's numbers belong to."""

import importlib.metadata
import os
import platform
import subprocess

LIBRARIES = ("duckdb", "polars", "pandas", "pyarrow", "dask", "distributed")


def lines(path):
    try:
        with open(path) as f:
            return f.read().splitlines()
    except OSError:
        return []


def cpu():
    return next((line.split(":", 1)[1].strip() for line in lines("/proc/cpuinfo") if line.startswith("model name")), platform.machine())


def memory():
    """Bytes of memory of the machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def disk(path):
    """The file system and the kind of disk that path lies on."""
    number = os.stat(path).st_dev
    block = os.path.realpath(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
    if os.path.exists(f"{block}/partition"):
        block = os.path.dirname(block)
    name, spins = os.path.basename(block), "".join(lines(f"{block}/queue/rotational"))
    kind = "virtual disk" if name.startswith(("vd", "xvd")) else {"0": "solid state", "1": "spinning disk"}.get(spins, "unknown kind")
    mounts = [line.split() for line in lines("/proc/mounts")]
    under = [m for m in mounts if os.path.realpath(path).startswith(m[1].rstrip("/") + "/")]
    system = max(under, key=lambda m: len(m[1]))[2] if under else "unknown"
    return f"{system} on {name}, {kind}"


def versions(binary):
    shown = subprocess.run([binary, "version"], capture_output=True, text=True).stdout.split("\n")[0].strip()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=os.path.dirname(__file__), capture_output=True, text=True).stdout.strip()
    found = {"pqjoin": shown.removeprefix("pqjoin ").split(" (")[0] + (f" ({commit})" if commit else "")}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            pass
    return found


def describe(directory, binary):
    return {"cpu": cpu(), "cores": os.cpu_count(), "memory": memory(), "kernel": platform.release(), "disk": disk(directory),
            "python": platform.python_version(), "versions": versions(binary)}
