"""A memory cgroup of an exact size, version 1 or 2, without swap; needs root. incgroup.sh is the same for shells.

Here and not in the shell, because a run's time would hold the shell's own.
"""

import contextlib
import itertools
import os

NUMBERS = itertools.count()
V1, V2 = "/sys/fs/cgroup/memory", "/sys/fs/cgroup"


class Cgroup:
    """A group that a process enters itself, between fork and exec."""

    def __init__(self, path, limit, kills):
        self.path, self.kills_in = path, kills
        for name, value in limit:
            try:
                self.write(name, value)
            except OSError:
                if not name.endswith(("swap.max", "memsw.limit_in_bytes")):
                    raise

    def write(self, name, value):
        with open(f"{self.path}/{name}", "w") as f:
            f.write(str(value))

    def enter(self):
        self.write("cgroup.procs", "0")

    def kills(self):
        """How often the kernel killed something in here for memory."""
        with open(f"{self.path}/{self.kills_in}") as f:
            return next((int(line.split()[1]) for line in f if line.startswith("oom_kill ")), 0)

    def close(self):
        with contextlib.suppress(OSError):
            os.rmdir(self.path)


def make(limit):
    """A cgroup of limit bytes, or None where none can be made."""
    try:
        if os.path.isdir(V1):
            return fill(new(V1), [("memory.limit_in_bytes", limit), ("memory.memsw.limit_in_bytes", limit)], "memory.oom_control")
        with open(f"{V2}/cgroup.subtree_control") as f:
            if "memory" not in f.read().split():
                return None
        return fill(new(V2), [("memory.max", limit), ("memory.swap.max", 0)], "memory.events")
    except OSError:
        return None


def new(parent):
    """The path of a new group: what an earlier run could not remove is not in its way."""
    while True:
        path = f"{parent}/pqjoin-bench-{os.getpid()}-{next(NUMBERS)}"
        with contextlib.suppress(FileExistsError):
            os.mkdir(path)
            return path


def fill(path, limit, kills):
    try:
        return Cgroup(path, limit, kills)
    except OSError:
        os.rmdir(path)
        raise


def possible():
    group = make(1 << 30)
    if group:
        group.close()
    return group is not None
