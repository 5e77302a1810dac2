package groupby

// held is what a worker knows of a full table that it keeps as it is although it reduced its input. Where
// there are somewhat more groups than fit, most rows belong to those that the table has: to send the rest on row by
// row is much less than to flush every group again and again. Where other groups follow (rows in the order of
// the keys, say) nearly all rows would go on: a short trial tells.
type held struct {
	on     bool
	span   int64 // rows of the present trial
	missed int64 // of them, those that the table did not know, up to the last batch
	filled int64 // rows that filled the table
	skip   int   // full tables that are flushed without a trial
	failed int   // trials in vain, one after the other
}

const (
	// One in holdTrial of the rows that filled a table, a chunk at least, decide whether it is held, holdSpan
	// rows whether it still is.
	holdTrial = 8
	holdSpan  = 256 << 10
	// holdSkipMost bounds how many full tables (a power of two) are flushed after trials in vain.
	holdSkipMost = 6
)

// tryHold begins a trial, and reports false where there is none to be.
func (w *worker) tryHold() bool {
	h := &w.held
	if h.skip > 0 || w.seen < holdTrial*chunk {
		h.skip = max(h.skip-1, 0)
		return false
	}
	h.on, h.span, h.filled, h.missed = true, w.seen/holdTrial, w.seen, int64(-w.missN)
	w.frozen, w.left, w.blind = true, h.span, 0
	return true
}

// hold says whether a table that was held up to now still is: whether fewer words went on than flushing it
// as often as it fills would have sent.
func (w *worker) hold() bool {
	h := &w.held
	if !h.on {
		return false
	}
	missed := (h.missed + int64(w.missN)) * int64(len(w.lay.raw.Fields))
	flushed := int64(w.t.groups()) * int64(len(w.lay.state.Fields))
	if float64(missed)*float64(h.filled) > float64(flushed)*float64(h.span) {
		h.failed = min(h.failed+1, holdSkipMost)
		h.skip = 1<<h.failed - 1
		return false
	}
	h.failed = 0
	h.span, h.missed = holdSpan, int64(-w.missN)
	w.left = holdSpan
	return true
}
