package groupby

import (
	"fmt"

	"pqjoin/batch"
)

// kernel is one aggregate function over one kind of argument. Its state is a few words of
// an entry, all zero when the group is made. A kernel holds no data and is shared.
type kernel interface {
	words() int
	// columns are the types of the state columns: what the words become when a state travels.
	columns() []batch.Type
	// viewWord is the word of the state where a view begins, for kernels with a state column of bytes.
	viewWord() int
	// ordered says that the kernel needs row positions.
	ordered() bool
	// update adds rows to the entries in.ent of t.
	update(t *table, off int, in *input) error
	// merge adds the states in rows [lo, lo+len(ent)) of cols.
	merge(t *table, off int, cols []*batch.Column, lo int, ent []uint32) error
	// export returns the state columns of the entries.
	export(t *table, off int, ents []uint32) ([]*batch.Column, error)
	// result returns the aggregate of the entries as a column of type typ. Where one does not fit, the
	// error wraps ErrOverflow as an *overflow with its place in ents.
	result(t *table, off int, ents []uint32, typ batch.Type) (*batch.Column, error)
}

// input is a run of rows for update. Rows that do not count have entry 0.
type input struct {
	col  *batch.Column // the argument; nil for count()
	col2 *batch.Column // the second argument, of kernels that have one
	lo   int           // the row of the first entry
	ent  []uint32
	pos  []int64 // positions of the rows, for ordered kernels
	one  bool    // every entry is 1 (no keys), and every row counts
	// weight says how many times each row counts, for tallies; nil: once.
	weight *batch.Column
	few    *entryRows // what all aggregates share of a chunk; nil where rows are left out, and where entries are many
}

// overflow is an aggregate that does not fit its type; i is its place among the entries.
type overflow struct {
	i     int
	value string
}

func (e *overflow) Error() string { return e.value + " does not fit" }

func (e *overflow) Is(target error) bool { return target == ErrOverflow }

// pickKernel chooses the kernel by function and type, once.
func pickKernel(spec *Spec, a Agg) (kernel, error) {
	if a.Filter >= 0 && spec.In.Fields[a.Filter].Type.ID != batch.Bool {
		return nil, fmt.Errorf("filter of type %s, not bool", spec.In.Fields[a.Filter].Type)
	}
	if isRank(&a) {
		return pickRank(spec, a)
	}
	if isHolistic(&a) {
		return pickHolistic(spec, a)
	}
	if (a.Partial || a.Merge || a.Weighted) && !isArgExtreme(a.Func) {
		return pickStates(spec, a)
	}
	if a.Func == "count" {
		return count{}, nil
	}
	if a.Arg < 0 {
		return nil, fmt.Errorf("%s needs an argument", a.Func)
	}
	t := spec.In.Fields[a.Arg].Type
	switch a.Func {
	case "sum", "mean":
		return pickSum(a, t)
	case "min", "max":
		if !t.Comparable() {
			return nil, fmt.Errorf("%s of %s", a.Func, t)
		}
		return pickExtreme(t, a.Func == "max"), nil
	case "any", "all":
		if t.ID != batch.Bool {
			return nil, fmt.Errorf("%s of %s", a.Func, t)
		}
		return pickExtreme(t, a.Func == "any"), nil
	case "var", "std", "cov", "corr":
		return pickMoment(spec, a)
	case "position":
		return firstPlace{}, nil
	case "registers":
		return pickRegisters(spec, a)
	case "string_agg":
		return pickGather(spec, a)
	case "list", "leading":
		return pickList(spec, a)
	case "top":
		return pickLargest(spec, a)
	case "arg_min", "arg_max":
		return pickArgExtreme(spec, a)
	case "first", "last":
		return pickEdge(t, a.Func == "last"), nil
	}
	return nil, fmt.Errorf("unknown aggregate %q", a.Func)
}

func pickSum(a Agg, t batch.Type) (kernel, error) {
	mean := a.Func == "mean"
	if !t.IsNumeric() || mean && !a.Type.IsFloat() || !mean && t.IsFloat() != a.Type.IsFloat() ||
		!mean && !t.IsFloat() && !a.Type.IsInteger() && a.Type.ID != batch.Decimal {
		return nil, fmt.Errorf("%s of %s as %s", a.Func, t, a.Type)
	}
	if t.IsFloat() {
		return sumFloat{mean: mean}, nil
	}
	return newSumInt(t, mean), nil
}

func newSumInt(t batch.Type, mean bool) sumInt {
	scale := 0
	if t.ID == batch.Decimal {
		scale = int(t.Scale)
	}
	return sumInt{mean: mean, scale: scale, wide: t.Kind() == batch.KindInt128, unsigned: t.ID == batch.Uint64}
}

// exportWords returns n words of each entry from off on as int64 columns.
func exportWords(t *table, off, n int, ents []uint32) ([]*batch.Column, error) {
	out := make([]*batch.Column, 0, n)
	for k := range n {
		c, err := batch.NewFixed(t.acct, batch.Of(batch.Int64), len(ents))
		if err != nil {
			releaseAll(out)
			return nil, err
		}
		gatherWords(t, off+k, ents, c.Int64s())
		out = append(out, c)
	}
	return out, nil
}

func gatherWords(t *table, off int, ents []uint32, dst []int64) {
	words, stride := t.ent[off:], t.lay.stride
	for i, e := range ents {
		dst[i] = int64(words[int(e)*stride])
	}
}

func releaseAll(cols []*batch.Column) {
	for _, c := range cols {
		c.Release()
	}
}

// wordTypes returns n int64 types, the state columns of a kernel whose state is words alone.
func wordTypes(n int) []batch.Type {
	out := make([]batch.Type, n)
	for i := range out {
		out[i] = batch.Of(batch.Int64)
	}
	return out
}

// withNulls makes row i of c null where isNull(i). It returns c, or releases it on an error.
func withNulls(t *table, c *batch.Column, isNull func(i int) bool) (*batch.Column, error) {
	any := false
	for i := range c.N {
		if any = isNull(i); any {
			break
		}
	}
	if !any {
		return c, nil
	}
	if err := c.NewValid(t.acct); err != nil {
		c.Release()
		return nil, err
	}
	for i := range c.N {
		if !isNull(i) {
			c.Valid[i>>3] |= 1 << (i & 7)
		}
	}
	return c.SetNulls(), nil
}

// count counts the rows that are not masked out.
type count struct{}

func (count) words() int            { return 1 }
func (count) columns() []batch.Type { return wordTypes(1) }
func (count) ordered() bool         { return false }
func (count) viewWord() int         { return 0 }

func (count) update(t *table, off int, in *input) error {
	words, stride := t.ent[off:], t.lay.stride
	if in.one {
		words[stride] += uint64(len(in.ent))
		return nil
	}
	if t.n <= fewEntries {
		n := in.entryRows()
		for e := range t.n {
			words[e*stride] += n[e]
		}
		return nil
	}
	for _, e := range in.ent {
		words[int(e)*stride]++
	}
	return nil
}

func (count) merge(t *table, off int, cols []*batch.Column, lo int, ent []uint32) error {
	words, stride := t.ent[off:], t.lay.stride
	v := cols[0].Int64s()[lo:]
	for i, e := range ent {
		words[int(e)*stride] += uint64(v[i])
	}
	return nil
}

func (count) export(t *table, off int, ents []uint32) ([]*batch.Column, error) {
	return exportWords(t, off, 1, ents)
}

func (count) result(t *table, off int, ents []uint32, typ batch.Type) (*batch.Column, error) {
	c, err := batch.NewFixed(t.acct, typ, len(ents))
	if err != nil {
		return nil, err
	}
	gatherWords(t, off, ents, c.Int64s())
	return c, nil
}
