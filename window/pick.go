package window

import (
	"bytes"
	"math"

	"pqjoin/batch"
	"pqjoin/mem"
)

// picked computes the functions whose result is one of the values so far. Each row notes the position of its value;
// then all are gathered, whatever their type.
func picked(acct *mem.Account, fn string, segs []segment, c *batch.Column, st, next *colState) (*batch.Column, error) {
	src, before, err := behind(acct, st.kept, c)
	if err != nil {
		return nil, err
	}
	defer src.Release()
	p := &picker{fn: fn, src: src, cur: batch.Missing, idx: make([]uint32, c.N)}
	if fn != "ffill" && fn != "first" {
		p.compare = comparison(src)
	}
	if before > 0 {
		p.cur = 0
	}
	for _, s := range segs {
		p.walk(s, before)
	}
	out, err := batch.Gather(acct, src, p.idx, true)
	if err != nil || p.cur == batch.Missing {
		return out, err
	}
	if next.kept, err = batch.Gather(acct, src, []uint32{p.cur}, false); err != nil {
		out.Release()
		return nil, err
	}
	return out, nil
}

type picker struct {
	fn      string
	src     *batch.Column
	compare func(i, j int) int
	cur     uint32 // the row whose value holds now
	idx     []uint32
}

func (p *picker) walk(s segment, before int) {
	if s.fresh {
		p.cur = batch.Missing
		if p.fn == "first" {
			p.cur = uint32(before + s.lo)
		}
	}
	for i := s.lo; i < s.hi; i++ {
		at := before + i
		null := p.src.IsNull(at)
		if !null && p.better(at) {
			p.cur = uint32(at)
		}
		p.idx[i] = p.cur
		if null && p.compare != nil {
			p.idx[i] = batch.Missing
		}
	}
}

// better says whether the value at i takes the place of the one that holds.
func (p *picker) better(i int) bool {
	switch {
	case p.fn == "first":
		return false
	case p.fn == "ffill" || p.cur == batch.Missing:
		return true
	case p.fn == "cummin":
		return p.compare(i, int(p.cur)) < 0
	}
	return p.compare(i, int(p.cur)) > 0
}

// behind returns the rows of kept, which may be nil, and of c as one flat column, and how many are kept's.
func behind(acct *mem.Account, kept, c *batch.Column) (*batch.Column, int, error) {
	schema := batch.NewSchema(batch.Field{Type: c.Type, Nullable: true})
	var parts []*batch.Batch
	before := 0
	if kept != nil {
		before = kept.N
		parts = append(parts, &batch.Batch{Schema: schema, Cols: []*batch.Column{kept}, N: kept.N})
	}
	all, err := batch.Concat(acct, schema, append(parts, &batch.Batch{Schema: schema, Cols: []*batch.Column{c}, N: c.N}))
	if err != nil {
		return nil, 0, err
	}
	return all.Cols[0], before, nil
}

// comparison returns the order of min and max of a flat column's rows that are not null: that of keys, with -0.0 below 0.0.
func comparison(c *batch.Column) func(i, j int) int {
	switch c.Type.Kind() {
	case batch.KindInt64:
		v := c.Int64s()
		if c.Type.ID == batch.Uint64 {
			return func(i, j int) int { return order(uint64(v[i]), uint64(v[j])) }
		}
		return func(i, j int) int { return order(v[i], v[j]) }
	case batch.KindFloat64:
		v := c.Float64s()
		return func(i, j int) int { return orderFloat(v[i], v[j]) }
	case batch.KindInt128:
		v := c.Int128s()
		return func(i, j int) int { return v[i].Cmp(v[j]) }
	case batch.KindBool:
		v := c.Bools()
		return func(i, j int) int { return order(v[i], v[j]) }
	}
	return func(i, j int) int { return bytes.Compare(c.Value(i), c.Value(j)) }
}

func order[T int64 | uint64 | uint8 | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// orderFloat has NaN above every number and -0.0 below 0.0.
func orderFloat(a, b float64) int {
	switch {
	case a != a || b != b:
		return order(nanRank(a), nanRank(b))
	case a == b:
		return order(signRank(a), signRank(b))
	}
	return order(a, b)
}

func nanRank(f float64) uint8 {
	if f != f {
		return 1
	}
	return 0
}

func signRank(f float64) uint8 {
	if math.Signbit(f) {
		return 0
	}
	return 1
}
