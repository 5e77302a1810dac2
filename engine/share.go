package engine

import (
	"errors"
	"fmt"

	"pqjoin/batch"
	"pqjoin/mem"
)

// ErrRefused marks a job that was refused before anything was written.
var ErrRefused = errors.New("refused")

// Share is how the pool is divided, the same for every stage, so that what one stage
// leaves in a store another can read: bytes, unless said otherwise.
//
//	pool = fixed (readers, batches on their way, output buffers)
//	     + resident (tables of broadcast joins) + load (partitions being worked on)
//	     + tails (open blocks of stores) + what stores may keep until somebody needs it
type Share struct {
	Workers   int // units worked on at once
	BatchRows int // rows of a batch, at most: wide rows make shorter ones, see rows
	Pool      int64
	Fixed     int64
	Resident  int64 // all resident tables together
	Load      int64 // per worker: one partition, sorted or built into a table
	JoinLoad  int64 // Load, or what each join has of it where many are computed in one pipeline
	Tails     int64 // open blocks of the store that a stage writes, and pre-aggregation tables
	Window    int64 // batches ahead of their turn, before an ordered output
	Writer    int64 // the output writer: with more than its floor it encodes several row groups at once
}

// need is what the stages of a job need besides what grows with the data; the largest of all stages.
type need struct {
	reader int64      // bytes a reader takes
	widths []rowWidth // of the rows on their way, one a stage
	depth  int        // batches that a worker holds at once
	writer int64      // bytes the output writer takes
	states int64      // rows that lags hand from unit to unit, and those between ranges of as-of joins, per worker
	stores int64      // bytes that more stores than usual take, which are open at once
	loads  int        // partitions that a worker has in memory at once, where they are more than usual; else 0
	known  int64      // bytes of the Go heap that what is known of the inputs takes beyond the heap's part of the bound
}

const (
	minBatchRows = 1 << 10
	// goodBatchRows is a batch under which the work of each begins to be felt.
	goodBatchRows = 1 << 13
	// minElastic is the least that is left for partitions, tails and tables, see elastic.
	minElastic = 6 << 20
)

// rowWidth is the bytes of a row, and its columns.
type rowWidth struct {
	bytes   int64
	columns int
}

const (
	// batchRowBytes and batchLeast bound the bytes of a batch: so many for each row that it may have, and no less.
	batchRowBytes = 512
	batchLeast    = 2 << 20
	// loadNum / loadDen of what is left for partitions, tails and tables is for partitions being worked on.
	loadNum, loadDen = 3, 10
	// columnLeast is what a column of a batch takes however few its rows: the smallest buffer.
	columnLeast = 4 << 10
)

// batchRows returns how many rows, at most rows, batches of such rows have: fewer where rows are
// wide, down to one of long values, but so many that buffers are filled.
func (w rowWidth) batchRows(rows int) int {
	most := max(int64(rows)*batchRowBytes, batchLeast) / w.bytes
	fill := columnLeast * int64(w.columns) / w.bytes
	return int(min(int64(rows), max(most, fill, 1)))
}

// width returns what a row of the estimated table takes.
func (e Estimate) width() rowWidth { return rowWidth{bytes: int64(e.RowWidth()), columns: len(e.Cols)} }

// rows returns the most rows of a batch of the estimated table.
func (s Share) rows(e Estimate) int { return e.width().batchRows(s.BatchRows) }

func (n need) fixed(workers, rows int) int64 {
	largest := int64(0)
	for _, w := range n.widths {
		largest = max(largest, w.bytes*int64(w.batchRows(rows)))
	}
	return int64(workers)*(n.reader+n.states+int64(n.depth)*largest) + n.writer + n.stores
}

// floor returns the smallest pool with which the job runs, of which known is taken off: one worker, small batches.
func (n need) floor() int64 {
	return n.known + n.fixed(1, minBatchRows) + n.elastic()
}

// elastic returns the least that is left for partitions, tails and tables: so much that a partition being worked on fills the
// smallest buffer of each of its columns. With less, thousands of columns would be sorted a few rows at a time.
func (n need) elastic() int64 {
	columns := 0
	for _, w := range n.widths {
		columns = max(columns, w.columns)
	}
	load := max(int64(columns)*columnLeast, int64(n.loads)*loadLeast/fewLoads)
	return max(minElastic, (load*loadDen+loadNum-1)/loadNum)
}

// divide divides pool bytes, less what is known of the inputs. It gives up batch size first, then workers, then, with one
// worker, what is left for partitions.
func (n need) divide(pool int64, threads int) (Share, error) {
	pool -= n.known
	for w := threads; w >= 1; w-- {
		for rows := batch.Rows; rows >= goodBatchRows; rows /= 2 {
			if rest := pool - n.fixed(w, rows); rest >= pool/5 && rest >= n.elastic() {
				return n.share(pool, w, rows), nil
			}
		}
	}
	for rows := goodBatchRows; rows >= minBatchRows; rows /= 2 {
		if pool-n.fixed(1, rows) >= n.elastic() {
			return n.share(pool, 1, rows), nil
		}
	}
	return Share{}, n.refuse("")
}

func (n need) share(pool int64, workers, rows int) Share {
	fixed := n.fixed(workers, rows)
	rest := pool - fixed
	load := rest * loadNum / loadDen / int64(workers)
	return Share{
		Workers: workers, BatchRows: rows, Pool: pool, Fixed: fixed,
		Resident: rest / 5,
		Load:     load,
		JoinLoad: load * fewLoads / int64(max(n.loads, fewLoads)),
		Tails:    rest / 5,
		Window:   rest / 10,
		Writer:   n.writer + rest/8,
	}
}

// refuse says that there is less than the floor, which is that of the need or, if so said, at least that.
func (n need) refuse(atLeast string) error {
	least := floorText(mem.PoolToTotal(n.floor()))
	reason := "--mem is below this job's floor of " + atLeast + least
	if n.known > 0 {
		reason += ", of which the inputs' metadata (footers and the like) take " + floorText(n.known)
	}
	return &RefusedError{
		Reason: reason,
		Advice: fmt.Sprintf("give it --mem %s or more", least),
	}
}

// floorText writes a floor as --mem takes it, never below it.
func floorText(n int64) string { return fmt.Sprintf("%dMB", roundUp(n, 1_000_000)/1_000_000) }

func roundUp(n, unit int64) int64 { return (n + unit - 1) / unit * unit }

// RefusedError says why a job is not begun and what to change. errors.Is(err, ErrRefused) is true.
type RefusedError struct {
	Reason string
	Advice string
	// Forceable says that it rests on an estimate, which --force overrides.
	Forceable bool
}

func (e *RefusedError) Error() string {
	s := e.Reason
	if e.Advice != "" {
		s += ": " + e.Advice
	}
	if e.Forceable {
		s += " (--force runs it all the same)"
	}
	return s
}

// Is makes errors.Is(err, ErrRefused) true.
func (e *RefusedError) Is(target error) bool { return target == ErrRefused }
