"""Runs one command and measures it: time, CPU, anonymous memory of its processes, bytes in its temporary directory.

Memory is RssAnon as the kernel has it, summed over the process and its descendants, sampled every SAMPLE
seconds; the temporary directory is looked at every DISK seconds, and what was deleted while open is not seen.
"""

import contextlib
import os
import signal
import struct
import subprocess
import threading
import time
from dataclasses import dataclass

from . import cgroup, data

SAMPLE = 0.02
DISK = 0.2


@dataclass
class Outcome:
    status: str  # done, killed (by the kernel, for memory), timeout or error
    wall: float  # seconds, of the whole process
    cpu: float  # seconds, user and system, of the process and what it waited for
    peak: int  # bytes
    temp: int  # bytes
    stdout: str
    stderr: str
    limited: bool  # whether it ran in a cgroup


class Sampler(threading.Thread):
    """Watches a process and its descendants until it is stopped."""

    def __init__(self, pid, temp):
        super().__init__(daemon=True)
        self.pid, self.temp_dir = pid, temp
        self.peak = self.temp = 0
        self.over = threading.Event()

    def run(self):
        pids, tick = [self.pid], 0
        while not self.over.wait(SAMPLE):
            tick += 1
            if tick % 5 == 1:
                pids = descendants(self.pid)
            self.peak = max(self.peak, sum(map(anonymous, pids)))
            if tick % round(DISK / SAMPLE) == 0:
                self.temp = max(self.temp, data.size(self.temp_dir))

    def stop(self):
        self.over.set()
        self.join()


def descendants(pid):
    found = [pid]
    for parent in found:
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{parent}/task"):
                with open(f"/proc/{parent}/task/{task}/children") as f:
                    found += map(int, f.read().split())
    return found


def anonymous(pid):
    """Bytes of anonymous memory of a process, 0 if it is gone."""
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/status") as f:
            for line in f:
                if line.startswith("RssAnon:"):
                    return int(line.split()[1]) * 1024
    return 0


def kill_group(leader):
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def run(argv, *, env, work, limit, timeout):
    """Runs argv within limit bytes, where a cgroup can be made; its temporary files belong in work/tmp."""
    group = cgroup.make(limit)
    try:
        with open(f"{work}/stdout", "w+") as out, open(f"{work}/stderr", "w+") as err:
            child, start = begin(argv, group, env=env, stdout=out, stderr=err, stdin=subprocess.DEVNULL, start_new_session=True)
            outcome = watch(child, start, f"{work}/tmp", timeout)
            out.seek(0), err.seek(0)
            outcome.stdout, outcome.stderr = out.read(), err.read()
        if outcome.status == "error" and group and group.kills():
            outcome.status = "killed"
        outcome.limited = group is not None
        return outcome
    finally:
        if group:
            leave(group)


def begin(argv, group, **options):
    """Starts argv inside group and returns it with the moment of its exec.

    The moment is the child's own: to move a process into a cgroup takes the kernel 10 to 60 ms after a pause, since it
    waits for an RCU grace period, and that is no part of anybody's work. perf_counter is one clock for all processes.
    """
    read, write = os.pipe()

    def enter():
        if group:
            group.enter()
        os.write(write, struct.pack("d", time.perf_counter()))

    try:
        child = subprocess.Popen(argv, preexec_fn=enter, **options)
        return child, struct.unpack("d", os.read(read, 8))[0]
    finally:
        os.close(read), os.close(write)


def watch(child, start, temp, timeout):
    sampler = Sampler(child.pid, temp)
    sampler.start()
    late = threading.Event()
    alarm = threading.Timer(timeout, lambda: (late.set(), kill_group(child.pid)))
    alarm.start()
    try:
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
    finally:
        alarm.cancel()
        sampler.stop()
        kill_group(child.pid)  # what it left behind, Dask's workers for example
    child.returncode = os.waitstatus_to_exitcode(status)
    verdict = "timeout" if late.is_set() else "done" if child.returncode == 0 else "error"
    return Outcome(verdict, wall, usage.ru_utime + usage.ru_stime, sampler.peak, sampler.temp, "", "", False)


def leave(group):
    """Waits for the group's last process to be gone, then removes it."""
    for _ in range(100):
        with open(f"{group.path}/cgroup.procs") as f:
            if not f.read().strip():
                break
        time.sleep(0.02)
    group.close()
