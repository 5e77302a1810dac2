package groupby

import "pqjoin/spillfile"

// scratchBytes is what a worker holds besides its table: a stretch of rows gathered and
// flattened, its hashes, misses and partitions; the dictionary cache; a batch of states on its way.
func (l *layout) scratchBytes() int64 {
	const dict = 4 * codesMax
	return putRows*int64(16+2*l.raw.RowWidth(16)) + dict + int64(l.flushRows()*l.state.RowWidth(32)) + 256<<10
}

// storesFloor is what the two stores of a level need.
func storesFloor(lay *layout, partitions, workers int) int64 {
	rows := spillfile.Spec{Schema: lay.raw, Partitions: partitions, Workers: workers, BlockBytes: lay.spec.BlockBytes}
	states := spillfile.Spec{Schema: lay.state, Partitions: partitions, Workers: workers, BlockBytes: stateBlock(lay.spec.BlockBytes)}
	return spillfile.Floor(rows) + spillfile.Floor(states)
}

// Floor returns the least bytes with which the aggregation completes on any input (values
// longer than a few hundred bytes apart): a table and scratch for each worker, and what the
// stores need: those of the input while it is read, then those of two levels of cutting
// for each partition that is being merged.
func Floor(spec Spec) int64 {
	s := spec.withDefaults()
	lay, err := newLayout(&s)
	if err != nil {
		return 0
	}
	stores := max(storesFloor(lay, s.Partitions, s.Workers), 2*int64(s.Workers)*storesFloor(lay, resplit, 1))
	return int64(s.Workers)*(max(s.TableBytes, s.MaxLoad)+lay.scratchBytes()) + stores
}
