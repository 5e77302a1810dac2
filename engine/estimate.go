package engine

import (
	"math"

	"pqjoin/batch"
	"pqjoin/plan"
	"pqjoin/tableio"
)

// Estimate is what is known or guessed of a table before it is made.
type Estimate struct {
	Rows  int64
	Exact bool // Rows is a fact, not a guess
	Cols  []ColumnEstimate
}

// ColumnEstimate describes one column of an Estimate.
type ColumnEstimate struct {
	Width    float64 // bytes a value takes in memory
	Distinct int64   // distinct values, 0 where unknown
	Nulls    float64 // fraction of rows that are null
}

// filterPasses is the fraction of rows that a condition of unknown effect is taken to keep.
const filterPasses = 1.0 / 3

// unknownText is the width in bytes of a text of which nothing is known.
const unknownText = 24

// RowWidth returns the bytes a row takes in memory.
func (e Estimate) RowWidth() float64 {
	w := 0.0
	for _, c := range e.Cols {
		w += c.Width
	}
	return max(w, 1)
}

// Bytes returns the bytes the whole table takes in memory.
func (e Estimate) Bytes() int64 { return saturate(float64(e.Rows) * e.RowWidth()) }

func saturate(f float64) int64 {
	if f >= math.MaxInt64/4 {
		return math.MaxInt64 / 4
	}
	return int64(f)
}

// defaultColumn is the estimate of a computed column of type t.
func defaultColumn(t batch.Type) ColumnEstimate {
	if w := t.Kind().Width(); w > 0 {
		return ColumnEstimate{Width: float64(w)}
	}
	if w := t.StoredWidth(); w > 0 {
		return ColumnEstimate{Width: float64(w) + 4}
	}
	return ColumnEstimate{Width: unknownText}
}

// scanEstimate reads rows, widths and ranges from the footers.
func scanEstimate(t *tableio.Table, s *plan.Scan, schema *batch.Schema) Estimate {
	e := Estimate{Rows: t.Rows(), Exact: s.Where == nil && t.Exact(), Cols: make([]ColumnEstimate, len(s.Columns))}
	for i, c := range s.Columns {
		st := t.ColumnStats(c)
		e.Cols[i] = defaultColumn(schema.Fields[i].Type)
		if schema.Fields[i].Type.Kind() == batch.KindBytes && st.MeanBytes > 0 {
			e.Cols[i].Width = st.MeanBytes + 4
		}
		if st.Nulls >= 0 && e.Rows > 0 {
			e.Cols[i].Nulls = float64(st.Nulls) / float64(e.Rows)
		}
		if st.HasRange && schema.Fields[i].Type.Kind() == batch.KindInt64 {
			if span := uint64(st.Max) - uint64(st.Min); span < uint64(e.Rows) {
				e.Cols[i].Distinct = int64(span) + 1
			}
		}
	}
	if s.Where != nil {
		e.Rows = int64(math.Ceil(float64(e.Rows) * filterPasses))
	}
	return e
}

// estimate derives the estimate of a node's table from those of its inputs. Scans are
// estimated by scanEstimate.
func estimate(n *plan.Node, in []Estimate, unique func(n *plan.Node, cols []int) bool) Estimate {
	switch op := n.Op.(type) {
	case *plan.Project:
		out := Estimate{Rows: in[0].Rows, Exact: in[0].Exact}
		for i, b := range op.Exprs {
			if c, ok := b.Column(); ok {
				out.Cols = append(out.Cols, in[0].Cols[c])
			} else {
				out.Cols = append(out.Cols, defaultColumn(n.Schema.Fields[i].Type))
			}
		}
		return out
	case *plan.Filter:
		out := in[0]
		out.Rows, out.Exact = int64(math.Ceil(float64(out.Rows)*filterPasses)), out.Rows == 0
		return out
	case *plan.Lag:
		out := Estimate{Rows: in[0].Rows, Exact: in[0].Exact, Cols: append([]ColumnEstimate(nil), in[0].Cols...)}
		for _, c := range op.Cols {
			out.Cols = append(out.Cols, in[0].Cols[c.Column])
		}
		return out
	case *plan.Window:
		out := Estimate{Rows: in[0].Rows, Exact: in[0].Exact, Cols: append([]ColumnEstimate(nil), in[0].Cols...)}
		for _, c := range op.Cols {
			out.Cols = append(out.Cols, defaultColumn(c.Type))
		}
		return out
	case *plan.Union:
		return unionEstimate(in)
	case *plan.Head:
		out := in[0]
		out.Rows = min(out.Rows, op.N)
		return out
	case *plan.GroupBy:
		return groupEstimate(op, n, in[0])
	case *plan.Join:
		return joinEstimate(op, in[0], in[1], unique(n.Inputs[1], op.RightKeys))
	}
	return in[0]
}

// distinctOf guesses the distinct combinations of the columns: the product of what each
// has, at most the rows; a column of which nothing is known is taken to have a tenth of the rows.
func distinctOf(e Estimate, cols []int) int64 {
	d := 1.0
	for _, c := range cols {
		k := e.Cols[c].Distinct
		if k <= 0 {
			k = max(e.Rows/10, 1)
		}
		d *= float64(k)
	}
	return max(1, min(saturate(d), e.Rows))
}

func groupEstimate(op *plan.GroupBy, n *plan.Node, in Estimate) Estimate {
	out := Estimate{Rows: distinctOf(in, op.Keys), Cols: make([]ColumnEstimate, len(n.Schema.Fields))}
	if len(op.Keys) == 0 {
		out.Rows, out.Exact = 1, true
	} else if in.Rows == 0 {
		out.Rows, out.Exact = 0, in.Exact
	}
	for i, f := range n.Schema.Fields {
		out.Cols[i] = defaultColumn(f.Type)
		if i < len(op.Keys) {
			out.Cols[i] = in.Cols[op.Keys[i]]
		}
	}
	if len(op.Keys) == 1 {
		out.Cols[0].Distinct = out.Rows
	}
	return out
}

func joinEstimate(op *plan.Join, l, r Estimate, rightUnique bool) Estimate {
	out := Estimate{Cols: append([]ColumnEstimate(nil), l.Cols...)}
	for _, c := range op.RightOut {
		out.Cols = append(out.Cols, r.Cols[c])
	}
	if op.Kind == plan.AsofJoin {
		out.Rows, out.Exact = l.Rows, l.Exact
		return out
	}
	if op.Kind.Filters() {
		out.Rows, out.Exact = l.Rows, l.Rows == 0 && l.Exact
		return out
	}
	if op.Kind.KeepsRight() {
		inner := *op
		inner.Kind = plan.InnerJoin
		out.Rows = joinEstimate(&inner, l, r, rightUnique).Rows
		out.Rows = max(out.Rows, r.Rows)
		if op.Kind == plan.OuterJoin {
			out.Rows = addSat(max(out.Rows, l.Rows), r.Rows)
		}
		for i := range l.Cols { // right rows without a match may have other keys than the left
			out.Cols[i].Distinct = 0
		}
		return out
	}
	if rightUnique {
		out.Rows, out.Exact = l.Rows, l.Exact && op.Kind == plan.LeftJoin
		return out
	}
	d := max(distinctOf(l, op.LeftKeys), distinctOf(r, op.RightKeys), 1)
	out.Rows = saturate(float64(l.Rows) * float64(r.Rows) / float64(d))
	if op.Kind == plan.LeftJoin {
		out.Rows = max(out.Rows, l.Rows)
	}
	return out
}

// uniqueOn says whether no two rows of n's table agree in the columns cols, by the plan alone.
func uniqueOn(n *plan.Node, cols []int) bool {
	switch op := n.Op.(type) {
	case *plan.GroupBy:
		return covers(cols, len(op.Keys))
	case *plan.Project:
		var under []int
		for _, c := range cols {
			if from, ok := op.Exprs[c].Column(); ok {
				under = append(under, from)
			}
		}
		return uniqueOn(n.Inputs[0], under)
	case *plan.Index:
		if op.Unique && containsKeys(cols, op.Keys) {
			return true
		}
		return uniqueOn(n.Inputs[0], cols)
	case *plan.Filter, *plan.Head, *plan.Check, *plan.Persist:
		return uniqueOn(n.Inputs[0], cols)
	case *plan.Lag, *plan.Window:
		return uniqueOn(n.Inputs[0], below(cols, len(n.Inputs[0].Schema.Fields)))
	case *plan.Join:
		switch {
		case op.Kind.KeepsRight():
			return false
		case op.Kind.Filters():
			return uniqueOn(n.Inputs[0], cols)
		case op.Kind == plan.AsofJoin:
			return uniqueOn(n.Inputs[0], below(cols, len(n.Inputs[0].Schema.Fields)))
		}
		return uniqueOn(n.Inputs[1], op.RightKeys) && uniqueOn(n.Inputs[0], below(cols, len(n.Inputs[0].Schema.Fields)))
	}
	return false
}

// covers says whether cols contains 0..k-1.
func covers(cols []int, k int) bool {
	seen := make([]bool, k)
	for _, c := range cols {
		if c < k {
			seen[c] = true
		}
	}
	for _, s := range seen {
		if !s {
			return false
		}
	}
	return true
}

func containsKeys(cols []int, keys []batch.SortKey) bool {
	for _, k := range keys {
		found := false
		for _, c := range cols {
			found = found || c == k.Column
		}
		if !found {
			return false
		}
	}
	return true
}

func below(cols []int, n int) []int {
	var out []int
	for _, c := range cols {
		if c < n {
			out = append(out, c)
		}
	}
	return out
}
