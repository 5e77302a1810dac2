package engine

import (
	"context"
	"errors"

	"pqjoin/mem"
	"pqjoin/plan"
	"pqjoin/tableio"
)

// heapForInputs is what of the Go heap's part of the bound is for what is known of the inputs: mostly Parquet footers.
const heapForInputs = 6 << 20

// openTable opens an input beside those that are open. Where what is known of them all takes so much of the heap that no pool is left,
// the error is a *RefusedError; the input's files have been counted by then.
func (r *Run) openTable(ctx context.Context, in *plan.Input, spec tableio.Spec) (*tableio.Table, error) {
	pool := mem.Divide(r.cfg.Mem).Pool
	if r.cfg.Tuning.Pool > 0 {
		pool = r.cfg.Tuning.Pool
	}
	before := r.heapOfTables()
	spec.HeapMost = max(1, heapForInputs+max(0, pool-minElastic)-before)
	t, err := tableio.Open(ctx, r.cfg.FS, spec)
	var much *tableio.HeapError
	if errors.As(err, &much) {
		known := need{known: max(0, before+much.Bytes-heapForInputs)}
		return nil, known.refuse("at least ")
	}
	if err != nil {
		return nil, err
	}
	r.tables[in] = t
	return t, nil
}

func (r *Run) heapOfTables() (n int64) {
	for _, t := range r.tables {
		n += t.HeapBytes()
	}
	return n
}

// HeapOfInputs returns the bytes of the Go heap that what is known of the inputs takes beyond what is for it of the heap's part of the
// bound: the pool is so much smaller, and the heap's limit may be so much larger.
func (r *Run) HeapOfInputs() int64 { return max(0, r.heapOfTables()-heapForInputs) }
