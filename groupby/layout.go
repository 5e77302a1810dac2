package groupby

import (
	"fmt"
	"slices"

	"pqjoin/batch"
)

// layout is what a Spec means for memory: the columns that rows and partial states have
// when they travel, and the words of a table's entry.
//
//	row      key columns | arguments and filters, each once | position, for first and last
//	state    key columns | state columns of aggregate 0 | of aggregate 1 | ...
type layout struct {
	spec   *Spec
	raw    *batch.Schema
	cols   []int // positions in Spec.In of the row columns, the position apart
	posCol int   // of the position in raw; -1 where no aggregate asks for it
	state  *batch.Schema
	keys   keyLayout
	aggs   []aggregate
	stride int      // words of an entry
	vars   bool     // entries refer to the arena
	views  []int    // the words of an entry where a view begins
	tails  int      // of a table, for kernels that gather
	holds  []wanted // of the values that a table keeps for holistic kernels
	extra  int      // bytes beside the entry that sorting needs for each group
}

// aggregate is an Agg with its kernel and its places.
type aggregate struct {
	kernel
	name        string
	arg, filter int // positions in layout.raw; -1 for none
	arg2        int // likewise, of a kernel with two arguments
	weight      int // likewise, of a merged kernel
	off         int // first word of the state in an entry
	col, ncols  int // state columns
	typ         batch.Type
	shared      bool // the state is that of an aggregate before
	holds       bool // it is holistic
}

func newLayout(spec *Spec) (*layout, error) {
	l := &layout{spec: spec, posCol: -1, keys: newKeyLayout(spec.In, spec.Keys, spec.DropNulls)}
	l.cols = slices.Clone(spec.Keys)
	l.stride, l.vars = l.keys.words, l.keys.vars
	state := slices.Clone(l.keys.schema.Fields)
	for _, c := range l.keys.cols {
		if c.kind == batch.KindBytes {
			l.views = append(l.views, c.word)
		}
	}
	position := false
	for i, a := range spec.Aggs {
		k, err := pickKernel(spec, a)
		if err != nil {
			return nil, fmt.Errorf("groupby %s: %s: %w", spec.Name, spec.Out.Fields[len(spec.Keys)+i].Name, err)
		}
		agg := aggregate{kernel: k, name: spec.Out.Fields[len(spec.Keys)+i].Name, off: l.stride, col: len(state), typ: a.Type}
		agg.arg, agg.filter, agg.weight = l.column(a.Arg), l.column(a.Filter), -1
		agg.arg2 = -1
		if hasTwo(a.Func) || isRank(&a) {
			agg.arg2 = l.column(a.Arg2)
		}
		if a.Weighted {
			agg.weight = l.column(a.Weight)
		}
		twin := l.twin(&agg)
		if h, ok := k.(holistic); ok {
			agg.kernel, agg.holds = l.hold(h, twin), true
		}
		if twin != nil {
			agg.off, agg.col, agg.ncols, agg.shared = twin.off, twin.col, twin.ncols, true
			l.aggs = append(l.aggs, agg)
			continue
		}
		g, gathers := k.(gatherer)
		if gathers {
			agg.kernel = g.from(l.tails)
			l.tails += g.tails()
		}
		for j, t := range k.columns() {
			state = append(state, batch.Field{Name: fmt.Sprintf("%d.%d", i, j), Type: t})
			if t.Kind() == batch.KindBytes && !gathers {
				l.vars = true
				l.views = append(l.views, agg.off+viewAt(k, j))
			}
		}
		agg.ncols = len(state) - agg.col
		l.stride += k.words()
		position = position || k.ordered()
		l.aggs = append(l.aggs, agg)
	}
	l.raw = spec.In.Select(l.cols)
	if position {
		l.posCol = len(l.cols)
		l.raw.Fields = append(l.raw.Fields, batch.Field{Name: "position", Type: batch.Of(batch.Int64)})
	}
	for i := range l.raw.Fields { // names must be unique, a key may be an argument too
		l.raw.Fields[i].Name = fmt.Sprintf("c%d", i)
	}
	l.state = &batch.Schema{Fields: state}
	l.stride = max(l.stride, 1)
	l.extra = l.sortBytes()
	return l, nil
}

// twin returns an earlier aggregate with the same state: a sum and a mean of one argument, or a repeated count.
func (l *layout) twin(a *aggregate) *aggregate {
	state := stateOf(a.kernel)
	for i := range l.aggs {
		if b := &l.aggs[i]; state != nil && b.arg == a.arg && b.arg2 == a.arg2 && b.filter == a.filter && b.weight == a.weight && stateOf(b.kernel) == state {
			return b
		}
	}
	return nil
}

// stateOf returns the kernel that stands for all kernels of the same state; nil where there is only itself.
func stateOf(k kernel) kernel {
	switch k := k.(type) {
	case sumFloat:
		return sumFloat{}
	case sumInt:
		k.mean = false
		return k
	case count:
		return k
	case holistic:
		return holisticState{}
	case momentFloat:
		k.fn = ""
		return k
	}
	return nil
}

// hasTwo says whether an aggregate has two arguments.
func hasTwo(fn string) bool {
	return fn == "cov" || fn == "corr" || isArgExtreme(fn)
}

func isArgExtreme(fn string) bool { return fn == "arg_min" || fn == "arg_max" }

// viewAt returns the word of a state where the view of its state column col begins.
func viewAt(k kernel, col int) int {
	if a, ok := k.(argExtreme); ok {
		return a.viewOf(col)
	}
	return k.viewWord()
}

// column returns the position in raw of column c of the input, adding it after the keys where it is new.
func (l *layout) column(c int) int {
	if c < 0 {
		return -1
	}
	if at := slices.Index(l.cols, c); at >= 0 {
		return at
	}
	l.cols = append(l.cols, c)
	return len(l.cols) - 1
}

// sortBytes is an estimate from above of what sorting takes for each group of fixed-width keys.
func (l *layout) sortBytes() int {
	if !l.spec.Sort || len(l.keys.cols) == 0 {
		return 4
	}
	if l.sortsByWord() {
		return 24
	}
	return 16 + 12*l.keys.words + 8*len(l.keys.cols)
}

// sortsByWord says whether one word of an entry decides the order, a null apart.
func (l *layout) sortsByWord() bool {
	return len(l.keys.cols) == 1 && l.keys.cols[0].kind != batch.KindBytes && l.keys.cols[0].kind != batch.KindInt128
}

// rows completes a batch of the columns l.cols, which it takes over, to one of layout.raw: positions
// from first on, rows with null keys left out where the spec says so, fixed-width
// dictionaries resolved.
func (l *layout) rows(out *batch.Batch, first int64) (*batch.Batch, error) {
	var err error
	if l.posCol >= 0 {
		if err = l.addPositions(out, first); err != nil {
			out.Release()
			return nil, err
		}
	}
	if out, err = l.dropNulls(out); err != nil {
		return nil, err
	}
	for i, c := range out.Cols {
		if c.Dict == nil || c.Type.Kind() == batch.KindBytes {
			continue
		}
		flat, err := batch.Flatten(l.spec.Acct, c)
		if err != nil {
			out.Release()
			return nil, err
		}
		c.Release()
		out.Cols[i] = flat
	}
	return out, nil
}

func (l *layout) addPositions(out *batch.Batch, first int64) error {
	c, err := batch.NewFixed(l.spec.Acct, batch.Of(batch.Int64), out.N)
	if err != nil {
		return err
	}
	for i := range c.Int64s() {
		c.Int64s()[i] = first + int64(i)
	}
	out.Cols = append(out.Cols, c)
	return nil
}

// dropNulls returns rows without those that have a null key, where the spec wants that. It takes rows over.
func (l *layout) dropNulls(rows *batch.Batch) (*batch.Batch, error) {
	nulls := false
	for i, f := range l.keys.schema.Fields {
		c := rows.Cols[i]
		nulls = nulls || c.Nulls > 0
		if c.Nulls > 0 && !f.Nullable {
			rows.Release()
			return nil, fmt.Errorf("groupby %s: key column %q is not nullable and has %d nulls", l.spec.Name, f.Name, c.Nulls)
		}
	}
	if !nulls || !l.spec.DropNulls {
		return rows, nil
	}
	defer rows.Release()
	buf, err := l.spec.Acct.Alloc(4 * rows.N)
	if err != nil {
		return nil, err
	}
	defer buf.Release()
	keep := batch.View[uint32](buf.Bytes())[:0]
	for i := range rows.N {
		null := false
		for k := range l.keys.cols {
			null = null || rows.Cols[k].IsNull(i)
		}
		if !null {
			keep = append(keep, uint32(i))
		}
	}
	return batch.GatherBatch(l.spec.Acct, rows, keep)
}
