package plan

import (
	"fmt"
	"strings"

	"pqjoin/batch"
	"pqjoin/expr"
)

// String returns the plan as text, a node a paragraph, inputs first: for people and for golden tests.
func (p *Plan) String() string {
	var b strings.Builder
	for _, n := range p.Nodes {
		fmt.Fprintf(&b, "#%d %s", n.ID, describeOp(n))
		if n.Table != "" {
			fmt.Fprintf(&b, "  [%s]", n.Table)
		}
		fmt.Fprintf(&b, "\n   %s\n", describeSchema(n.Schema))
		switch {
		case len(n.Index) > 0:
			fmt.Fprintf(&b, "   index %s\n", describeKeys(n, n.Index))
		case !n.Ordered:
			b.WriteString("   no order\n")
		}
		for _, w := range n.Warnings {
			fmt.Fprintf(&b, "   warning: %s\n", w)
		}
	}
	for _, o := range p.Outputs {
		fmt.Fprintf(&b, "output %s: #%d to %s", o.Label, o.Node.ID, o.Show)
		if len(o.PartitionBy) > 0 {
			b.WriteString(" by " + pick(o.Node.Schema.Names(), o.PartitionBy))
		}
		b.WriteString("\n")
	}
	return p.Job.Redact(b.String())
}

func describeSchema(s *batch.Schema) string {
	parts := make([]string, len(s.Fields))
	for i, f := range s.Fields {
		parts[i] = f.Name + " " + f.Type.String()
		if f.Nullable {
			parts[i] += "?"
		}
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// describeOp writes a node's operator with the names of its input's columns.
func describeOp(n *Node) string {
	var in []string // the columns of the first input
	from := ""
	if len(n.Inputs) > 0 {
		in = n.Inputs[0].Schema.Names()
		from = fmt.Sprintf(" #%d", n.Inputs[0].ID)
	}
	switch op := n.Op.(type) {
	case *Scan:
		s := "scan " + op.Input.Name
		if op.Where != nil {
			s += " where " + op.Where.String()
		}
		return s
	case *Project:
		return "project" + from + ": " + describeExprs(n.Schema, in, op.Exprs)
	case *Filter:
		return "filter" + from + ": " + op.Cond.String()
	case *Index:
		s := "index" + from + " by " + describeKeys(n, op.Keys)
		if op.Unique {
			s += " unique"
		}
		if op.Loose {
			s += ", no order among equals"
		}
		return s
	case *Lag:
		var cols []string
		for _, c := range op.Cols {
			cols = append(cols, fmt.Sprintf("%s = %s[%d]", c.Name, in[c.Column], -c.Period))
		}
		return "lag" + from + " by (" + pick(in, op.By) + "): " + strings.Join(cols, ", ")
	case *Window:
		return describeWindow(op, in, from)
	case *Join:
		return describeJoin(n, op, from)
	case *GroupBy:
		return "groupby" + from + describeGroup(op, in)
	case *Union:
		return describeUnion(n)
	case *Persist:
		return "persist" + from
	case *Head:
		return fmt.Sprintf("head%s: %d", from, op.N)
	case *Check:
		return "check" + from + describeCheck(op, in)
	}
	return fmt.Sprintf("%T", n.Op)
}

func describeExprs(s *batch.Schema, in []string, exprs []*expr.Bound) string {
	parts := make([]string, len(exprs))
	for i, b := range exprs {
		name := s.Fields[i].Name
		if c, ok := b.Column(); ok && in[c] == name {
			parts[i] = name
		} else if ok {
			parts[i] = name + " = " + in[c]
		} else {
			parts[i] = name + " = " + b.String()
		}
	}
	return strings.Join(parts, ", ")
}

func pick(names []string, at []int) string {
	parts := make([]string, len(at))
	for i, c := range at {
		parts[i] = names[c]
	}
	return strings.Join(parts, ", ")
}

func describeJoin(n *Node, op *Join, from string) string {
	left, right := n.Inputs[0].Schema.Names(), n.Inputs[1].Schema.Names()
	keys := make([]string, len(op.LeftKeys))
	for i := range keys {
		keys[i] = left[op.LeftKeys[i]] + " = " + right[op.RightKeys[i]]
	}
	s := fmt.Sprintf("%s join%s with #%d on %s, right (%s), %s", op.Kind, from, n.Inputs[1].ID, strings.Join(keys, ", "), pick(right, op.RightOut), op.Validate)
	s += describeAsof(n, op)
	if op.NullsEqual {
		s += ", nulls equal"
	}
	if op.MaxRows > 0 {
		s += fmt.Sprintf(", at most %d rows", op.MaxRows)
	}
	if op.Strategy != "auto" {
		s += ", " + op.Strategy
	}
	if op.KeepOrder {
		s += ", keeps order"
	}
	if op.KeepOrder && len(op.Order) > 0 {
		s += ", sorted by " + describeKeys(n, op.Order)
	}
	return s
}

func describeGroup(op *GroupBy, in []string) string {
	s := " by (" + pick(in, op.Keys) + ")"
	for i, a := range op.Aggs {
		sep := ", "
		if i == 0 {
			sep = ": "
		}
		arg := ""
		if a.Arg >= 0 {
			arg = in[a.Arg]
		}
		if a.Two() {
			arg += ", " + in[a.Arg2]
		}
		switch {
		case a.quantile() || a.Func == "top" || a.Func == "leading":
			arg += fmt.Sprintf(", %g", a.Param)
		case a.Func == "string_agg":
			arg += fmt.Sprintf(", %q", a.Sep)
		}
		s += fmt.Sprintf("%s%s = %s(%s)", sep, a.Name, a.Func, arg)
		if a.Partial {
			s += " partial"
		}
		if a.Merge {
			s += " merged"
		}
		if a.Held {
			s += " held"
		}
		switch {
		case a.Weighted && hasTwo(a.Func):
			s += " first by " + in[a.Weight]
		case a.Weighted:
			s += " times " + in[a.Weight]
		}
		if a.Filter >= 0 {
			s += " where " + in[a.Filter]
		}
	}
	if op.Sort {
		s += ", sorted"
	}
	if op.DropNulls {
		s += ", nulls dropped"
	}
	return s
}

func describeCheck(op *Check, in []string) string {
	s := ":"
	if op.MinRows > 0 || op.MaxRows >= 0 {
		s += fmt.Sprintf(" rows %d to %d", op.MinRows, op.MaxRows)
	}
	if len(op.NotNull) > 0 {
		s += " not null (" + pick(in, op.NotNull) + ")"
	}
	if len(op.Unique) > 0 {
		s += " unique (" + pick(in, op.Unique) + ")"
	}
	for _, e := range op.Expect {
		s += " expect " + e.String()
	}
	if op.Warn {
		s += " warn"
	}
	return s
}
