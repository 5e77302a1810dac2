package groupby

import (
	"context"

	"pqjoin/batch"
)

// fit returns how many of the n rows from lo on the arena can take whatever they are, and
// makes room for one at least: by dropping dead values, or by flushing the table.
func (w *worker) fit(ctx context.Context, b *batch.Batch, lo, n int) (int, error) {
	if !w.lay.vars || w.t.again {
		return n, nil
	}
	if w.longBytes(b, lo, n) <= w.t.arenaMax-w.t.arena.used {
		return n, nil
	}
	for {
		room := w.t.arenaMax - w.t.arena.used
		bytes := int64(0)
		for i := range n {
			for _, c := range b.Cols {
				if c.Type.Kind() != batch.KindBytes {
					continue
				}
				if n := len(c.Value(lo + i)); n > viewInline {
					bytes += int64(n)
				}
			}
			if bytes > room && i > 0 {
				return i, nil
			}
			if bytes > room {
				break
			}
		}
		if bytes <= room {
			return n, nil
		}
		if ok, err := w.makeRoom(ctx); !ok || err != nil {
			return 1, err
		}
	}
}

// longBytes is the most that rows [lo, lo+n) can put into an arena, found without a look at each.
func (w *worker) longBytes(b *batch.Batch, lo, n int) int64 {
	total := int64(0)
	for i, c := range b.Cols {
		switch {
		case c.Type.Kind() != batch.KindBytes:
		case c.Dict == nil:
			total += int64(c.Off[lo+n] - c.Off[lo])
		default:
			total += int64(n) * w.longestOf(i, c.Dict)
		}
	}
	return total
}

// longest is the length of a dictionary's longest value, 0 where all of them lie in their views.
type longest struct {
	dict *batch.Column
	n    int64
}

// longestOf returns the longest of dict, the dictionary of column i, which is measured once.
func (w *worker) longestOf(i int, dict *batch.Column) int64 {
	for len(w.long) <= i {
		w.long = append(w.long, longest{})
	}
	if w.long[i].dict == dict {
		return w.long[i].n
	}
	l := longest{dict: dict}
	for r := range dict.N {
		if n := int64(dict.Off[r+1] - dict.Off[r]); n > viewInline {
			l.n = max(l.n, n)
		}
	}
	w.long[i] = l
	return l.n
}

// makeRoom frees arena bytes; false says that nothing can be done and the account's limit decides.
func (w *worker) makeRoom(ctx context.Context) (bool, error) {
	a := &w.t.arena
	if a.dead > 0 && a.dead*2 >= a.used {
		return true, w.t.compact()
	}
	if w.t.groups() <= 1 {
		return false, nil
	}
	if w.lev == nil {
		return false, errFull
	}
	return true, w.flush(ctx)
}
