package main

import "context"

// part is one claim and the trials that could refute it.
type part struct {
	name  string
	claim string
	try   func(context.Context, *bench, *result) error
}

// parts are in the order of the report.
var parts = [...]part{
	{"bound", "In a memory cgroup of exactly `--mem`, without swap, no job is killed: from its printed floor on it succeeds, with the same bytes at every bound, and where it is killed, and gone on with by `--resume`; below it is refused (exit 4) and told its floor. A job that makes one value of all rows may stop where that does not fit, but not above a bound that was enough.", tryBound},
	{"kill", "After SIGKILL at any moment each output is the whole old one or the whole new one, two outputs are of one run, and the next run leaves no orphan.", tryKill},
	{"steps", "So it is after SIGKILL at any system call by which a run spills, publishes and tidies up.", trySteps},
	{"resume", "A run with `--resume` goes on from what a killed one had finished, reads less, gives the same bytes and leaves nothing; a flipped bit in a finished stage or output is found before that is taken over, and it is made again.", tryResume},
	{"twice", "Where a run with `--resume` dies or fails at any operation on a file or system call, and the next one with `--resume` does, too, a third ends: at any time each output is the whole old one or the whole new one, what was finished stays for the next run, the result is right and nothing is left over.", tryTwice},
	{"stop", "SIGINT, SIGTERM and SIGHUP at any moment end a run within two seconds, with exit 130, 143 or 129, the old output untouched and nothing left over.", tryStop},
	{"together", "Of runs that write one output at the same time one succeeds and the others end with exit 6, or succeed after it; runs that share a spill directory, one of which is killed, do not disturb each other, and neither does `clean`.", tryTogether},
	{"faults", "Whichever operation on a file fails, once or from then on, a run ends with an error that names the file, or succeeds; each output is whole, all files are closed, all goroutines gone, and nothing is left over but what the next run removes.", tryFaults},
	{"syscalls", "A system call of the program that fails (no space, an I/O error) at any point makes a run fail with one sentence and no trace, or does not matter to the result; the old output stays whole and nothing is left over.", trySyscalls},
	{"disk", "A disk that fills up, in bytes or in inodes, stops a run with exit 5; what was there before stays.", tryDisk},
	{"limits", "With few file descriptors a run succeeds; at its spill limit it stops with exit 5; where it may not spill it is refused before it reads; on a slow disk it succeeds, and stops within two seconds when told to; lock files of any age block nobody.", tryLimits},
	{"fuzz", "No bytes make what reads them fail otherwise than by an error of one sentence that names the file: no panic, no kill, no memory beyond the bound, no memory kept. Files of every format, spilled blocks, what `--resume` kept, records of outputs, jobs and expressions are damaged by knowing their formats.", tryFuzz},
	{"hostile", "A Parquet file that is cut off at any byte or has any bit flipped is read as before or refused with one sentence, within the bound.", tryHostile},
}
