// Package microbench is how the benchmarks of kernels report what they cost, all in the
// same terms, so that bench/micro can set a limit beside each:
//
//	cost := microbench.Start(b)
//	for b.Loop() {
//		...
//	}
//	cost.Rows(rows, bytes)
//
// Time is the processor's, of all threads of the process: neighbours on the machine disturb it less than
// the clock on the wall, and what a kernel hands to other goroutines counts. Waiting for a disk does not.
//
// Bytes are those of the values that the kernel has to read at least once and those that it has
// to write. What it moves beyond that (hash tables, scratch, the same line twice) is its own affair and shows as
// distance from the limit.
package microbench

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Cost measures one benchmark.
type Cost struct {
	b     *testing.B
	start time.Duration
}

// Start begins to measure; the loop follows.
func Start(b *testing.B) Cost { return Cost{b: b, start: used(b)} }

// Rows reports ns/row and B/row of a benchmark whose every iteration worked on so many
// rows and had to move so many bytes. It follows the loop.
func (c Cost) Rows(rows, bytes int64) {
	ns := float64(used(c.b)-c.start) / float64(c.b.N)
	c.b.SetBytes(bytes)
	c.b.ReportMetric(ns/float64(rows), "ns/row")
	c.b.ReportMetric(float64(bytes)/float64(rows), "B/row")
}

// used returns the processor time of the process so far.
func used(b *testing.B) time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		b.Fatal(err)
	}
	return time.Duration(t.Nano())
}
