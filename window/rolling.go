package window

import (
	"fmt"
	"math"

	"pqjoin/batch"
	"pqjoin/groupby/binsum"
	"pqjoin/mem"
)

// cumulated is cumsum. Sums of floats are rounded once, each as the sum of the group so far is.
func cumulated(acct *mem.Account, c RunningColumn, segs []segment, col *batch.Column, st, next *colState) (*batch.Column, error) {
	src, err := batch.Flatten(acct, col)
	if err != nil {
		return nil, err
	}
	defer src.Release()
	f, err := newFilling(acct, c.Type, src.N)
	if err != nil {
		return nil, err
	}
	*next = colState{total: st.total, sum: st.sum}
	for _, s := range segs {
		if s.fresh {
			*next = colState{}
		}
		for i := s.lo; i < s.hi; i++ {
			if src.IsNull(i) {
				continue
			}
			if src.Type.IsFloat() {
				next.sum.Add(src.Float64s()[i])
				f.float(i, next.sum.Sum())
				continue
			}
			total, over := next.total.Add(wide(src, i))
			if next.total = total; over || !f.int(i, total) {
				return nil, f.fail(c.Type)
			}
		}
	}
	return f.done(), nil
}

// weighted is ewm_mean, with the weights of pandas' ewm(adjust=True, ignore_na=False): a null keeps its place, and gets the mean so far.
func weighted(acct *mem.Account, alpha float64, segs []segment, col *batch.Column, st, next *colState) (*batch.Column, error) {
	src, err := batch.Flatten(acct, col)
	if err != nil {
		return nil, err
	}
	defer src.Release()
	f, err := newFilling(acct, batch.Of(batch.Float64), src.N)
	if err != nil {
		return nil, err
	}
	v := src.Float64s()
	*next = colState{mean: st.mean, old: st.old, any: st.any}
	for _, s := range segs {
		if s.fresh {
			*next = colState{}
		}
		for i := s.lo; i < s.hi; i++ {
			next.weigh(v[i], !src.IsNull(i), 1-alpha)
			if next.any {
				f.float(i, next.mean)
			}
		}
	}
	return f.done(), nil
}

func (s *colState) weigh(x float64, valid bool, decay float64) {
	if !s.any {
		if valid {
			s.mean, s.old, s.any = x, 1, true
		}
		return
	}
	s.old *= decay
	if !valid {
		return
	}
	if s.mean != x {
		s.mean = (s.old*s.mean + x) / (s.old + 1)
	}
	s.old++
}

// rolled computes the rolling functions, over the rows that the state kept and the batch's. A window's value is
// computed of its values alone: the result cannot depend on what was in windows before. Cost: N values a row for
// deviations, a few values for the others; see binsum.Sliding for sums of floats.
func rolled(acct *mem.Account, c RunningColumn, segs []segment, col *batch.Column, st, next *colState) (*batch.Column, error) {
	src, before, err := behind(acct, st.kept, col)
	if err != nil {
		return nil, err
	}
	defer src.Release()
	r := &roller{c: c, src: src, out: make([]uint32, col.N)}
	if c.Func == "rolling_min" || c.Func == "rolling_max" {
		r.compare = comparison(src)
	} else if r.fill, err = newFilling(acct, c.Type, col.N); err != nil {
		return nil, err
	}
	begin := 0
	for _, s := range segs {
		if s.fresh {
			begin = before + s.lo
		}
		if err := r.walk(begin, before, s); err != nil {
			return nil, err
		}
	}
	var out *batch.Column
	if r.compare == nil {
		out = r.fill.done()
	} else if out, err = batch.Gather(acct, src, r.out, true); err != nil {
		return nil, err
	}
	if from := max(begin, src.N-(c.N-1)); from < src.N {
		idx := make([]uint32, src.N-from)
		for i := range idx {
			idx[i] = uint32(from + i)
		}
		if next.kept, err = batch.Gather(acct, src, idx, false); err != nil {
			out.Release()
			return nil, err
		}
	}
	return out, nil
}

// roller walks over a column with a window of c.N rows behind it.
type roller struct {
	c       RunningColumn
	src     *batch.Column
	compare func(i, j int) int // of rolling_min and rolling_max
	out     []uint32           // their rows
	best    []int              // rows that may still be the least, ascending by row and by value
	fill    *filling           // of the others
	sum     binsum.Sliding     // of the values in the window, for floats
	total   batch.Int128       // the same, for ints and decimals
}

// walk computes the rows of a segment, which begins at row before+s.lo of the source; the group's rows begin at begin.
func (r *roller) walk(begin, before int, s segment) error {
	r.best, r.total, r.sum = r.best[:0], batch.Int128{}, binsum.Sliding{}
	null := begin - 1 // the last row that no window may hold
	for p := begin; p < before+s.hi; p++ {
		if out := p - r.c.N; out >= begin {
			r.leave(out, p)
		}
		if r.src.IsNull(p) {
			null = p
		} else if err := r.enter(p); err != nil {
			return err
		}
		i := p - before
		if i < s.lo {
			continue
		}
		r.out[i] = batch.Missing
		if p-null >= r.c.N {
			if err := r.put(i, p); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *roller) enter(p int) error {
	switch {
	case r.compare != nil:
		for n := len(r.best); n > 0; n-- {
			d := r.compare(p, r.best[n-1])
			if r.c.Func == "rolling_max" {
				d = -d
			}
			if d >= 0 {
				break
			}
			r.best = r.best[:n-1]
		}
		r.best = append(r.best, p)
	case r.src.Type.IsFloat():
		r.sum.Add(r.src.Float64s()[p])
	default:
		total, over := r.total.Add(wide(r.src, p))
		if r.total = total; over {
			return r.fill.fail(r.c.Type)
		}
	}
	return nil
}

// leave takes row p out of the window, to which it leaves the rows up to end.
func (r *roller) leave(p, end int) {
	switch {
	case r.compare != nil:
		if len(r.best) > 0 && r.best[0] == p {
			r.best = r.best[1:]
		}
	case r.src.IsNull(p):
	case !r.src.Type.IsFloat():
		r.total, _ = r.total.Add(wide(r.src, p).Neg())
	case !r.sum.Remove(r.src.Float64s()[p]):
		r.sum = binsum.Sliding{}
		for i := p + 1; i < end; i++ {
			if !r.src.IsNull(i) {
				r.sum.Add(r.src.Float64s()[i])
			}
		}
	}
}

// put writes row i, whose window ends at row p of the source and has no null.
func (r *roller) put(i, p int) error {
	switch {
	case r.compare != nil:
		r.out[i] = uint32(r.best[0])
		return nil
	case !r.src.Type.IsFloat():
		if !r.fill.int(i, r.total) {
			return r.fill.fail(r.c.Type)
		}
		return nil
	}
	switch r.c.Func {
	case "rolling_sum":
		r.fill.float(i, r.sum.Sum())
	case "rolling_mean":
		r.fill.float(i, r.sum.Mean(int64(r.c.N)))
	case "rolling_std":
		if r.c.N > 1 {
			r.fill.float(i, deviation(r.src.Float64s()[p-r.c.N+1:p+1], r.sum.Mean(int64(r.c.N))))
		}
	}
	return nil
}

// deviation is the sample standard deviation of two values or more, of which mean is the mean: in two passes, and less what the mean was off by.
func deviation(v []float64, mean float64) float64 {
	squares, off := 0.0, 0.0
	for _, x := range v {
		d := x - mean
		squares += d * d
		off += d
	}
	n := float64(len(v))
	if least := squares - off*off/n; least == least {
		squares = max(least, 0)
	}
	return math.Sqrt(squares / (n - 1))
}

// wide returns an integer or decimal of a flat column.
func wide(c *batch.Column, i int) batch.Int128 {
	switch {
	case c.Type.Kind() == batch.KindInt128:
		return c.Int128s()[i]
	case c.Type.ID == batch.Uint64:
		return batch.Int128{Lo: uint64(c.Int64s()[i])}
	}
	return batch.Int128Of(c.Int64s()[i])
}

// filling is a column being written: null until a row is.
type filling struct{ c *batch.Column }

func newFilling(acct *mem.Account, t batch.Type, n int) (*filling, error) {
	c, err := batch.NewFixed(acct, t, n)
	if err != nil {
		return nil, err
	}
	clear(c.Fixed)
	if err := c.NewValid(acct); err != nil {
		c.Release()
		return nil, err
	}
	return &filling{c}, nil
}

func (f *filling) valid(i int) { f.c.Valid[i>>3] |= 1 << (i & 7) }

func (f *filling) float(i int, v float64) {
	f.c.Float64s()[i] = v
	f.valid(i)
}

// int writes v, unless it does not fit.
func (f *filling) int(i int, v batch.Int128) bool {
	f.valid(i)
	if f.c.Type.Kind() == batch.KindInt128 {
		f.c.Int128s()[i] = v
		return v.Cmp(decimalLimit) < 0 && v.Cmp(decimalLimit.Neg()) > 0
	}
	n, ok := v.Int64()
	f.c.Int64s()[i] = n
	return ok
}

// decimalLimit is 10^38, the first number of 39 digits.
var decimalLimit = batch.Int128{Hi: 5421010862427522170, Lo: 687399551400673280}

func (f *filling) done() *batch.Column { return f.c.SetNulls() }

// fail gives the column up.
func (f *filling) fail(t batch.Type) error {
	f.c.Release()
	return fmt.Errorf("%w %s", ErrOverflow, t)
}
