package groupby

import (
	"context"

	"pqjoin/batch"
)

// bypass sends the rows that were missed on as they are.
func (w *worker) bypass(ctx context.Context, unit int, rows *batch.Batch) error {
	var sums []uint64
	if w.hashed {
		sums = batch.View[uint64](w.sums.Bytes())[:rows.N]
	}
	if w.missN == rows.N {
		return w.sendRows(ctx, unit, rows.Retain(), sums)
	}
	miss := batch.View[uint32](w.miss.Bytes())[:w.missN]
	if sums != nil {
		for i, r := range miss {
			sums[i] = sums[r]
		}
		sums = sums[:w.missN]
	}
	out, err := batch.GatherBatch(w.t.acct, rows, miss)
	if err != nil {
		return err
	}
	return w.sendRows(ctx, unit, out, sums)
}

// sendRows passes rows of layout.raw, which it takes over, to the shared tables, or where those do not take them to the level. sums are as of appendTo.
func (w *worker) sendRows(ctx context.Context, unit int, rows *batch.Batch, sums []uint64) error {
	if rows.N == 0 { // nothing of them is to open a store
		rows.Release()
		return nil
	}
	before := rows.N
	rows, err := w.share(ctx, rows)
	if rows == nil || err != nil {
		return err
	}
	if rows.N < before {
		sums = nil
	}
	w.stats.Bypassed += int64(rows.N)
	return w.lev.appendTo(ctx, &w.lev.rows, w.t, w.id, unit, rows, sums)
}

// share gives rows, which it takes over, to the shared tables, and returns a batch of those that are left, or nil.
func (w *worker) share(ctx context.Context, rows *batch.Batch) (*batch.Batch, error) {
	if !w.sh.active() {
		if err := w.leaveShared(ctx); err != nil {
			rows.Release()
			return nil, err
		}
		return rows, nil
	}
	rest, ok, err := w.sh.take(ctx, w, rows)
	if err != nil {
		rows.Release()
		return nil, err
	}
	if !ok || len(rest) == rows.N {
		return rows, nil
	}
	defer rows.Release()
	if len(rest) == 0 {
		return nil, nil
	}
	return batch.GatherBatch(w.t.acct, rows, rest)
}

// leaveShared sends what is in the shared tables on, once, after they were given up.
func (w *worker) leaveShared(ctx context.Context) error {
	if w.sh == nil || w.apart {
		return nil
	}
	w.apart = true
	return w.sh.leave(ctx, w)
}

// sendStates passes groups, which it takes over, to the shared tables, or where those do not take them to the level.
func (w *worker) sendStates(ctx context.Context, b *batch.Batch) error {
	if err := ctx.Err(); err != nil {
		b.Release()
		return err
	}
	if w.sh.active() {
		ok, err := w.sh.takeStates(ctx, w, b)
		if ok || err != nil {
			b.Release()
			return err
		}
	}
	return w.lev.appendTo(ctx, &w.lev.states, w.t, w.id, w.lev.unitOf(w.id, b.N), b, nil)
}
