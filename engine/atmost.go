package engine

import (
	"math"

	"pqjoin/batch"
	"pqjoin/plan"
)

// atMost bounds a table from above, as far as facts go: it lowers floors where little can come.
type atMost struct {
	rows int64   // negative: nobody knows
	cols []int64 // bytes of one value of each column; negative: nobody knows
}

// raw returns the most bytes that the values of the table take, or ok false where nobody knows.
func (m atMost) raw() (n int64, ok bool) {
	width := 0.0
	for _, c := range m.cols {
		if c < 0 {
			return 0, false
		}
		width += float64(c)
	}
	return saturate(width * float64(m.rows)), m.rows >= 0
}

// bounds bounds the table of every node by the rows and the sizes that the footers of the files state.
func (r *Run) bounds() map[*plan.Node]atMost {
	all := make(map[*plan.Node]atMost, len(r.plan.Nodes))
	for _, n := range r.plan.Nodes {
		if s, ok := n.Op.(*plan.Scan); ok {
			all[n] = r.mostOfScan(s, n.Schema)
			continue
		}
		in := make([]atMost, len(n.Inputs))
		for i, from := range n.Inputs {
			in[i] = all[from]
		}
		all[n] = mostOf(n, in)
	}
	return all
}

// mostOf bounds the table of n by those of its inputs.
func mostOf(n *plan.Node, in []atMost) atMost {
	out := atMost{rows: in[0].rows, cols: make([]int64, len(n.Schema.Fields))}
	for i, f := range n.Schema.Fields {
		out.cols[i] = mostOfValue(f.Type)
	}
	switch op := n.Op.(type) {
	case *plan.Project:
		for i, b := range op.Exprs {
			if c, ok := b.Column(); ok {
				out.cols[i] = in[0].cols[c]
			}
		}
	case *plan.GroupBy:
		for i, k := range op.Keys {
			out.cols[i] = in[0].cols[k]
		}
		if len(op.Keys) == 0 {
			out.rows = 1
		}
	case *plan.Join:
		out.rows = mostOfJoin(op, in[0].rows, in[1].rows)
		copy(out.cols, in[0].cols)
		for i, c := range op.RightOut {
			out.cols[len(in[0].cols)+i] = in[1].cols[c]
		}
	case *plan.Union:
		copy(out.cols, in[0].cols)
		for _, m := range in[1:] {
			out.add(m)
		}
	case *plan.Head:
		copy(out.cols, in[0].cols)
		if out.rows = op.N; in[0].rows >= 0 {
			out.rows = min(op.N, in[0].rows)
		}
	default: // columns of the input, and maybe more behind them
		copy(out.cols, in[0].cols)
	}
	return out
}

// add bounds the rows of two tables with the same columns.
func (m *atMost) add(other atMost) {
	m.rows = sumKnown(m.rows, other.rows)
	for i, c := range other.cols {
		if m.cols[i] < 0 || c < 0 {
			m.cols[i] = -1
		} else {
			m.cols[i] = max(m.cols[i], c)
		}
	}
}

func (r *Run) mostOfScan(s *plan.Scan, schema *batch.Schema) atMost {
	t := r.tables[s.Input]
	out := atMost{rows: -1, cols: make([]int64, len(s.Columns))}
	if t.Exact() {
		out.rows = t.Rows()
	}
	for i, c := range s.Columns {
		if out.cols[i] = mostOfValue(schema.Fields[i].Type); out.cols[i] < 0 {
			out.cols[i] = t.MostBytes(c)
		}
	}
	return out
}

// mostOfValue returns the bytes of a value where all have the same, else -1.
func mostOfValue(t batch.Type) int64 {
	if w := t.Kind().Width(); w > 0 {
		return int64(w)
	}
	return -1
}

func mostOfJoin(op *plan.Join, left, right int64) int64 {
	if op.Kind.Filters() || op.Kind == plan.AsofJoin {
		return left
	}
	if left < 0 || right < 0 {
		return -1
	}
	return saturate(float64(left)*float64(right) + float64(left) + float64(right))
}

func sumKnown(a, b int64) int64 {
	if a < 0 || b < 0 || a > math.MaxInt64-b {
		return -1
	}
	return a + b
}
