package groupby

import (
	"errors"
	"fmt"

	"pqjoin/batch"
	"pqjoin/mem"
	"pqjoin/spillfile"
)

// ErrOverflow marks a sum that does not fit its result type; test with errors.Is.
var ErrOverflow = errors.New("aggregate overflows its type")

// Agg is one aggregate of a Spec, as in the logical plan.
type Agg struct {
	// Func is count, sum, mean, min, max, first, last, any, all, var, std, cov, corr, arg_min, arg_max, quantile_cont,
	// quantile_disc, string_agg, list, top, leading: the first values, registers: how many values there were whose hashes have these least ones, or position:
	// a number that ascends with the place of the first row that counts.
	Func   string
	Arg    int        // position in Spec.In; -1 for count()
	Arg2   int        // of cov, corr, arg_min and arg_max: the second argument; of a quantile of sorted values: how many the group has
	Param  float64    // of quantile_cont and quantile_disc (with Weighted, of sorted values, which only Ordered has; else of floats, which only Grouper has, with keys and without Sort): which one, of 0 to 1; of top and leading: how many
	Sep    string     // of string_agg, which only Ordered has, as list and leading
	Filter int        // position of a bool column in Spec.In: only rows where it is true count; -1 for none
	Type   batch.Type // of the result

	// Of count, sum and mean:
	Partial  bool       // the result is the state, for a Merge elsewhere: an int64 of a count, binary of the others
	Merge    bool       // Arg holds states of Partial; a null is none
	Of       batch.Type // with Merge: of the values that the states were made of
	Weighted bool       // a row, or state, counts as often as the int64 column at Weight says; a null is once
	Weight   int        // position in Spec.In
	// Of arg_min and arg_max, Weighted means that of rows with equal Arg2 the one with the least weight wins, not the first.
}

// Partitioner cuts rows into key ranges. *extsort.Splitters is one.
type Partitioner interface {
	// Partitions returns how many ranges there are.
	Partitions() int
	// Assign sets out[i] to the range of row i of b, ascending in key order (nulls last).
	// b has the key columns alone, in the order of Spec.Keys.
	Assign(acct *mem.Account, b *batch.Batch, out []uint16) error
}

// Spec describes an aggregation.
type Spec struct {
	Name string        // in errors and statistics
	In   *batch.Schema // the rows
	Out  *batch.Schema // the groups: the key columns, then one column an aggregate
	Keys []int         // positions in In; empty for one group of everything
	Aggs []Agg

	Sort      bool // the groups come in ascending key order, nulls last; else in no defined order
	DropNulls bool // rows with a null key are left out

	Rows       int64 // about how many rows will be put in, at most; 0: unknown
	Workers    int   // calls of Put come from workers 0..Workers-1
	Partitions int   // of the partition store; with Splitters, theirs. 0: 64
	BlockBytes int   // of the partition store
	TableBytes int64 // most bytes of one worker's pre-aggregation table; at least 64 KiB
	MaxLoad    int64 // most bytes of the table in which one partition is merged; 0: TableBytes
	// SharedBytes is the most bytes of tables that all workers share, and of the rows on their way there; 0: none.
	SharedBytes int64
	BatchRows   int // rows of a result batch; 0: batch.Rows

	Acct *mem.Account
	Dir  *spillfile.Dir
	// Splitters are the key ranges of a sorted result. Where they are nil, ranges are cut
	// from the keys of the first table that fills.
	Splitters Partitioner
}

// Layout is what an aggregation may be given: the arithmetic of its sizes, in bytes.
type Layout struct {
	Workers    int
	Partitions int
	BlockBytes int
	TableBytes int64
	MaxLoad    int64
	// SharedBytes is lent what the blocks of the stores do not need for as long as there are no rows in them.
	SharedBytes int64
}

const (
	defaultPartitions = 64
	minTableBytes     = 64 << 10
)

func (s *Spec) withDefaults() Spec {
	out := *s
	if out.Partitions == 0 {
		out.Partitions = defaultPartitions
	}
	if out.Splitters != nil {
		out.Partitions = out.Splitters.Partitions()
	}
	out.Workers = max(out.Workers, 1)
	out.TableBytes = max(out.TableBytes, minTableBytes)
	out.MaxLoad = max(out.MaxLoad, out.TableBytes)
	if out.BatchRows <= 0 {
		out.BatchRows = batch.Rows
	}
	return out
}

func (s *Spec) validate() error {
	if len(s.Out.Fields) != len(s.Keys)+len(s.Aggs) {
		return fmt.Errorf("groupby %s: %d output columns for %d keys and %d aggregates", s.Name, len(s.Out.Fields), len(s.Keys), len(s.Aggs))
	}
	for _, k := range s.Keys {
		if f := s.In.Fields[k]; !f.Type.Comparable() {
			return fmt.Errorf("groupby %s: column %q of type %s cannot be a key", s.Name, f.Name, f.Type)
		}
	}
	return nil
}

// flushRows is how many groups travel in one batch of states: fewer of wide ones, but so many that the smallest buffers are filled.
func (l *layout) flushRows() int {
	return min(max(flushBytes/max(l.state.RowWidth(0), 1), flushLeast), flushMost)
}

const (
	minBlock = 4 << 10
	maxBlock = 64 << 10
)

const (
	// maxPartitions bounds how many partitions are planned.
	maxPartitions = 512
	// cacheLoad is a table whose misses caches serve, mostly: partitions larger than that are slower to merge.
	cacheLoad = 8 << 20
	// maxTable is a pre-aggregation table of about what caches hold. One smaller than goodTable gets more of a small
	// share: some ten thousand groups that stay where they are spare the stores altogether.
	maxTable  = 16 << 20
	goodTable = 4 << 20
)

// Plan divides share bytes of a spec whose Workers are settled, for partitions that are merged in
// load bytes; Partitions and BlockBytes keep the spec's value where it has one. Partitions are as many as make each
// of them fit its load, and caches, if every one of Spec.Rows is a group, as blocks allow: cutting again costs more than small blocks.
// A pre-aggregation table gets a quarter of the share, a half where that is little, and up to 16 MiB. The rest is for
// the blocks that each worker gathers for each partition of the two stores: 64 KiB where that fits, half of it for states, down
// to 4 KiB, then fewer partitions. For as long as stores are not needed it is lent to shared tables, where it is enough to be worth it.
func Plan(spec Spec, share, load int64) Layout {
	s := spec.withDefaults()
	per := share / int64(s.Workers)
	out := Layout{Workers: s.Workers, Partitions: s.Partitions, BlockBytes: s.BlockBytes}
	own, whole := spec.Partitions == 0 && spec.Splitters == nil, 0
	if lay, err := newLayout(&s); own && err == nil {
		entries, _ := tableRoom(lay, min(load, cacheLoad))
		whole, _ = tableRoom(lay, load)
		if held := len(lay.holds); held > 0 { // the groups are fewer, or there would be little to a quantile
			entries = int(min(load/2, cacheLoad)) / (held * heldBytes)
		}
		for out.Partitions < maxPartitions && int64(out.Partitions)*int64(entries)*3/4 < s.Rows {
			out.Partitions *= 2
		}
	}
	out.TableBytes = min(max(per/4, min(per/2, goodTable), minTableBytes), maxTable)
	out.MaxLoad = max(load, out.TableBytes)
	if out.SharedBytes = share - int64(s.Workers)*out.TableBytes; out.SharedBytes < sharedLeast {
		out.SharedBytes = 0
	}
	planned := out
	out.fitBlocks(max(per-out.TableBytes, per/4), own)
	if own && int64(out.Partitions)*int64(whole)*cutTwice < s.Rows { // each would be cut again: the fewer the better
		planned.fitBlocks(per/4, own)
		return planned
	}
	return out
}

// cutTwice is how many times more rows than groups fit all partitions make it likely that each is cut again.
const cutTwice = 4

// fitBlocks halves blocks, where they have no size yet from 64 KiB down to 4, and then partitions, where their number is own, until
// the blocks that a worker gathers fit room bytes.
func (l *Layout) fitBlocks(room int64, own bool) {
	if l.BlockBytes == 0 {
		l.BlockBytes = maxBlock
		for l.BlockBytes > minBlock && l.blocks() > room {
			l.BlockBytes /= 2
		}
	}
	for own && l.Partitions > 8 && l.blocks() > room {
		l.Partitions /= 2
	}
}

// blocks is the bytes of the blocks that one worker gathers.
func (l *Layout) blocks() int64 {
	return int64(l.Partitions) * int64(l.BlockBytes+stateBlock(l.BlockBytes))
}

// stateBlock is the block of the store of states beside one of rows of the given bytes: whole tables come at a time, and seldom.
func stateBlock(rows int) int { return max(rows/2, minBlock) }
