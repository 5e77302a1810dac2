package main

import "strings"

// The limits that kernels run into, each measured by the benchmark of its name in limits_test.go.
const (
	memoryCopy   = "memory copy"   // copy() of 64 MB: out of the cache and back
	memoryRead   = "memory read"   // a search through 64 MB
	memoryRandom = "memory random" // independent reads of 8 bytes all over 256 MB
	cacheCopy    = "cache copy"    // copy() of 256 KB
	cacheRead    = "cache read"    // a search through 256 KB
	cacheRandom  = "cache random"  // independent reads of 8 bytes all over 8 MB, a column of a million rows
)

// limit says what a kernel cannot be faster than.
type limit struct {
	kernel string  // the package and the benchmark's name, or its beginning; the longest that fits counts
	name   string  // one of the constants
	reads  float64 // of random limits: how many reads a row takes
}

// limits is the one place where each benchmark of a kernel has its limit. Batches of 64K
// rows stay in the cache between kernels, so most are held against the cache; what takes in whole
// tables, partitions or files, against memory.
var limits = []limit{
	{kernel: "batch.Hash", name: cacheCopy},
	{kernel: "batch.Key", name: cacheCopy},
	{kernel: "batch.Gather", name: cacheCopy},
	{kernel: "batch.Gather/int64/far", name: cacheRandom, reads: 1},
	{kernel: "batch.Gather/float64/far", name: cacheRandom, reads: 1},
	{kernel: "batch.Gather/dict/far", name: cacheRandom, reads: 1},
	{kernel: "batch.Gather/string/far", name: cacheRandom, reads: 2}, // the place, then the text
	{kernel: "batch.Concat", name: memoryCopy},
	{kernel: "expr.Eval", name: cacheCopy},
	{kernel: "extsort.Assign", name: cacheRead},
	{kernel: "extsort.Order", name: memoryCopy},
	{kernel: "extsort.Sort", name: memoryCopy},
	{kernel: "groupby/binsum.Add", name: cacheRead},
	{kernel: "groupby/binsum.Sliding", name: cacheRead},
	{kernel: "groupby.Group", name: memoryCopy}, // where few rows share a key
	{kernel: "groupby.Group/10k", name: cacheCopy},
	{kernel: "groupby.Group/1M", name: memoryRandom, reads: 2}, // the slot, then the group's state
	{kernel: "groupby.Select", name: memoryCopy},               // the values are copied, then read about twice
	{kernel: "hashjoin.Build", name: memoryRandom, reads: 1},
	{kernel: "hashjoin.Build/direct", name: memoryCopy},      // ascending keys fill it in order
	{kernel: "hashjoin.Probe", name: memoryRandom, reads: 2}, // the slot, then the right row
	{kernel: "hashjoin.Probe/direct", name: cacheRandom, reads: 2},
	{kernel: "spillfile.Append", name: memoryCopy},
	{kernel: "spillfile.Load", name: memoryCopy},
	{kernel: "tableio/parquet.Read", name: memoryCopy},
	{kernel: "tableio/parquet.Write", name: memoryCopy},
	{kernel: "window.Lag", name: cacheRead},
}

// limitOf returns the limit of a benchmark, named like hashjoin.Probe/hash.
func limitOf(bench string) (best limit, ok bool) {
	for _, l := range limits {
		if strings.HasPrefix(bench, l.kernel) && len(l.kernel) > len(best.kernel) {
			best, ok = l, true
		}
	}
	return best, ok
}

// nsPerRow returns the least time a row of so many bytes takes, by the measured cost of the limit.
func (l limit) nsPerRow(bytes float64, cost map[string]measure) (ns float64, ok bool) {
	m, ok := cost[l.name]
	if !ok || m.ns == 0 || m.bytes == 0 {
		return 0, false
	}
	if l.reads > 0 {
		return l.reads * m.ns, true
	}
	return bytes * m.ns / m.bytes, true
}
