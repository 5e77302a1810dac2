package hashjoin

import (
	"pqjoin/batch"
)

// varBytes is what a value of variable width is taken to need where nothing is known.
const varBytes = 32

// Layout is how a join divides memory. All sizes are bytes.
type Layout struct {
	Partitions    int
	BlockBytes    int   // that a worker gathers for one partition of a store
	PartBytes     int64 // for Spec.PartBytes, a worker
	ResidentBytes int64 // for Spec.ResidentBytes
	Scatter       int64 // tails of the stores while both sides are scattered
	Probe         int64 // batches in hand of all workers
	Floor         int64 // least that the join runs with
}

const (
	minBlock  = 4 << 10
	maxBlock  = 64 << 10
	maxParts  = 256
	minParts  = 4
	smallPart = 1 << 20 // the least share of a right partition that is worth its cutting
)

// batchBytes bounds the batches that a worker has in hand while it probes: one of the
// left, one put out, their keys, and a chunk of the right.
func batchBytes(s *Spec) int64 {
	rows := int64(cmpOr(s.BatchRows, batch.Rows))
	left, right := int64(s.Left.RowWidth(varBytes)), int64(s.Right.RowWidth(varBytes))
	return rows * (3*left + 3*right + 40)
}

// Floor returns the least bytes with which the join completes, with as few rows a batch
// as Spec.BatchRows says: one small right partition and its table for each worker, the batches in
// hand, and the tails of stores of the fewest partitions.
func Floor(s *Spec) int64 {
	workers := int64(cmpOr(s.Workers, 1))
	return workers*(smallPart+batchBytes(s)) + 2*workers*minParts*minBlock
}

// Plan divides share bytes for a right side of about rightBytes (0: unknown, taken as large). It
// makes as many partitions as let each worker's fit its part of the share, with room for estimates that are half of the truth.
func Plan(s *Spec, share, rightBytes int64) Layout {
	workers := int64(cmpOr(s.Workers, 1))
	l := Layout{Floor: Floor(s), Probe: workers * batchBytes(s), ResidentBytes: share / 2}
	rest := max(share-l.Probe, workers*smallPart)
	l.PartBytes = max(rest/(2*workers), smallPart)
	l.Partitions = maxParts
	if rightBytes > 0 {
		l.Partitions = int(min(max(4*rightBytes/l.PartBytes+1, minParts), maxParts))
	}
	for l.BlockBytes = maxBlock; l.BlockBytes > minBlock && l.scatter(workers) > rest/2; {
		l.BlockBytes /= 2
	}
	for l.Partitions > minParts && l.scatter(workers) > rest/2 {
		l.Partitions /= 2
	}
	l.Scatter = l.scatter(workers)
	return l
}

// scatter returns the bytes of the tails of a store: only one of the two is written at a time.
func (l *Layout) scatter(workers int64) int64 {
	return workers * int64(l.Partitions) * int64(l.BlockBytes)
}

// TableBytes returns what a resident table of rows right rows of rawBytes takes while it is built.
func TableBytes(rows, rawBytes int64) int64 { return rawBytes + rows*tableRowBytes }
