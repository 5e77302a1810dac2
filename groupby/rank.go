package groupby

import (
	"fmt"
	"math"

	"pqjoin/batch"
)

// rank is a quantile of rows that come in the order of their values: each row is a value, how many times it comes (the
// weight), and how many values its group has (the second argument). So a group's values need not be in memory, but only
// Ordered can compute it. The state is the number of values seen, how far it has come, and the value, as a slot.
//
// quantile_disc is the least value that at least q of all are not above; quantile_cont goes linearly between the two values
// around place (n-1)*q. Both are DuckDB's.
type rank struct {
	cont bool
	q    float64
	x    slot
}

// How far a rank has come.
const (
	rankLow  = 1 // of quantile_cont: the slot has the lower value
	rankDone = 2
)

func isRank(a *Agg) bool {
	return a.Weighted && (a.Func == "quantile_disc" || a.Func == "quantile_cont")
}

func pickRank(spec *Spec, a Agg) (kernel, error) {
	t := spec.In.Fields[a.Arg].Type
	k := rank{cont: a.Func == "quantile_cont", q: a.Param, x: newSlot(t, 2)}
	count := batch.Of(batch.Int64)
	if k.cont && t.Kind() != batch.KindFloat64 || !t.Comparable() || spec.In.Fields[a.Arg2].Type != count || spec.In.Fields[a.Weight].Type != count {
		return nil, fmt.Errorf("%s of %s", a.Func, t)
	}
	return k, nil
}

func (k rank) words() int            { return 2 + k.x.n }
func (k rank) columns() []batch.Type { return append(wordTypes(2), k.x.columns()...) }
func (rank) ordered() bool           { return false }
func (k rank) viewWord() int         { return k.x.at }

// places returns the places, from 0, of the values that a quantile of n lies between.
func (k rank) places(n float64) (lo, hi uint64) {
	if k.cont {
		at := (n - 1) * k.q
		return uint64(math.Floor(at)), uint64(math.Ceil(at))
	}
	at := uint64(max(n-math.Floor(n-float64(k.q*n)), 1)) - 1
	return at, at
}

func (k rank) update(t *table, off int, in *input) error {
	counts, totals := in.weight.Int64s(), in.col2.Int64s()
	for i, e := range in.ent {
		if e == 0 {
			continue
		}
		row := in.lo + i
		w := t.ent[int(e)*t.lay.stride+off:][:k.words()]
		w[0] += uint64(counts[row])
		if w[1] == rankDone {
			continue
		}
		lo, hi := k.places(float64(totals[row]))
		if w[1] == 0 && w[0] > lo {
			words, long := k.x.valueAt(in.col, row)
			if err := k.x.store(t, w, words, long, true); err != nil {
				return err
			}
			w[1] = rankLow
		}
		if w[1] == rankLow && w[0] > hi {
			if w[1] = rankDone; hi > lo {
				w[2] = math.Float64bits(between(math.Float64frombits(w[2]), in.col.Float64s()[row], k.q*float64(totals[row]-1)-float64(lo)))
			}
		}
	}
	return nil
}

// between returns the value at part d of the way from lo to hi.
func between(lo, hi, d float64) float64 {
	if lo == hi {
		return lo
	}
	return float64(lo*(1-d)) + float64(hi*d)
}

// merge takes a state over: there is never another one of the group.
func (k rank) merge(t *table, off int, cols []*batch.Column, lo int, ent []uint32) error {
	for i, e := range ent {
		w := t.ent[int(e)*t.lay.stride+off:][:k.words()]
		w[0], w[1] = uint64(cols[0].Int64s()[lo+i]), uint64(cols[1].Int64s()[lo+i])
		words, long := k.x.fromState(cols[2:], lo+i)
		if err := k.x.store(t, w, words, long, true); err != nil {
			return err
		}
	}
	return nil
}

func (k rank) export(t *table, off int, ents []uint32) ([]*batch.Column, error) {
	out, err := exportWords(t, off, 2, ents)
	if err != nil {
		return nil, err
	}
	cols, err := k.x.export(t, off, ents)
	if err != nil {
		releaseAll(out)
		return nil, err
	}
	return append(out, cols...), nil
}

func (k rank) result(t *table, off int, ents []uint32, typ batch.Type) (*batch.Column, error) {
	c, err := k.x.result(t, off, ents, typ)
	if err != nil {
		return nil, err
	}
	return withNulls(t, c, func(i int) bool { return t.ent[int(ents[i])*t.lay.stride+off+1] != rankDone })
}
