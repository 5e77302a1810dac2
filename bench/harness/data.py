"""The data sets, made by bin/benchgen where they are not there yet: DIR/DATASET/TABLE/*.parquet."""

import glob
import os
import re
import subprocess


def natural(path):
    return [int(x) if x.isdigit() else x for x in re.split(r"(\d+)", path)]


def files(directory):
    """A table's files in natural order, the order that pqjoin defines for them."""
    return sorted(glob.glob(glob.escape(directory) + "/[!_.]*.parquet"), key=natural)


def tables(directory, dataset):
    """The files of each table of a data set."""
    return {name: files(f"{directory}/{dataset.name}/{name}") for name in dataset.tables}


def make(generator, directory, dataset, say):
    """Makes what is missing of a data set; returns where it lies."""
    home = os.path.join(directory, dataset.name)
    os.makedirs(home, exist_ok=True)
    for name, args in dataset.tables.items():
        target = os.path.join(home, name)
        if not files(target):
            say(f"making {dataset.name}/{name}")
        done = subprocess.run([generator, *args, "-out", target], capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join([generator, *args])}: {done.stderr.strip()}")
    return home


def warm(directory, dataset):
    """Reads every file once, so that all engines find them in the page cache."""
    for paths in tables(directory, dataset).values():
        for path in paths:
            with open(path, "rb", buffering=0) as f:
                while f.read(1 << 20):
                    pass


def size(path, held=True):
    """Bytes of the files under path, as the disk holds them or as their lengths say; what vanishes meanwhile counts nothing."""
    total = 0
    for root, _, names in os.walk(path, onerror=lambda e: None):
        for name in names:
            try:
                stat = os.lstat(os.path.join(root, name))
                total += stat.st_blocks * 512 if held else stat.st_size
            except OSError:
                pass
    return total
