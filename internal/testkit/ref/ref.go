// Package ref computes jobs one row at a time, for tests: an interpreter of resolved,
// not yet rewritten plans that shares no code with the operators. Expressions are
// computed by refexpr.
//
// A value is nil, bool, int64 (uint64 by its bits), float64, batch.Int128 or string, by
// the kind of its column, as in batchtest.
//
// Where the contract leaves an order open, rows share a rank: rows of equal rank may come
// in any order, ranks ascend. Whatever depends on such an order gives ErrOpen.
package ref

import (
	"errors"
	"fmt"
	"slices"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/expr"
	"pqjoin/internal/testkit/refexpr"
	"pqjoin/plan"
)

var (
	// ErrOpen says that the result depends on an order that the job leaves open, or on the last bits of a rounded mean.
	ErrOpen = errors.New("the job leaves the result open")
	// ErrTooBig says that a table outgrew the interpreter's bound.
	ErrTooBig = errors.New("too many rows for the reference")
	// ErrCheck says that the data fails a check, or an index is not unique.
	ErrCheck = errors.New("a check fails")
	// ErrValidate says that a join's validate fails.
	ErrValidate = errors.New("validate fails")
	// ErrMaxRows says that a join makes more rows than its max_rows.
	ErrMaxRows = errors.New("over max_rows")
	// ErrRow says that an expression or a sum fails on some row.
	ErrRow = errors.New("a value fails")
)

// Table is a table of boxed rows.
type Table struct {
	Schema *batch.Schema
	Rows   [][]any
	// Rank has one number a row, ascending: rows that share one may come in any order.
	Rank []int
	// Loose marks columns whose last bits are not defined exactly.
	Loose []bool
}

// New returns a table in the order of its rows.
func New(schema *batch.Schema, rows [][]any) *Table {
	t := &Table{Schema: schema, Rows: rows, Rank: make([]int, len(rows)), Loose: make([]bool, len(schema.Fields))}
	for i := range rows {
		t.Rank[i] = i
	}
	return t
}

// Total says whether the order of the rows is fully defined.
func (t *Table) Total() bool {
	for i := 1; i < len(t.Rank); i++ {
		if t.Rank[i] == t.Rank[i-1] {
			return false
		}
	}
	return true
}

// Interpreter computes the nodes of one plan.
type Interpreter struct {
	// Input returns the rows of an input, with all its columns.
	Input func(name string) *Table
	// MaxRows bounds every table; 0 means 100,000.
	MaxRows int
	// Warned counts failed checks with on_fail: warn.
	Warned int

	done map[*plan.Node]*Table
}

// Run returns the tables of the plan's outputs, by label. The error is one of the package's, or refexpr.ErrUnknown.
func (in *Interpreter) Run(p *plan.Plan) (map[string]*Table, error) {
	if in.MaxRows == 0 {
		in.MaxRows = 100_000
	}
	in.done = map[*plan.Node]*Table{}
	out := map[string]*Table{}
	var errs []error
	for _, o := range p.Outputs {
		t, err := in.table(o.Node)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out[o.Label] = t
	}
	return out, errors.Join(errs...)
}

func (in *Interpreter) table(n *plan.Node) (*Table, error) {
	if t := in.done[n]; t != nil {
		return t, nil
	}
	var ins []*Table
	for _, i := range n.Inputs {
		t, err := in.table(i)
		if err != nil {
			return nil, err
		}
		ins = append(ins, t)
	}
	t, err := in.node(n, ins)
	if err != nil {
		return nil, err
	}
	if len(t.Rows) > in.MaxRows {
		return nil, ErrTooBig
	}
	in.done[n] = t
	return t, nil
}

func (in *Interpreter) node(n *plan.Node, ins []*Table) (*Table, error) {
	switch op := n.Op.(type) {
	case *plan.Scan:
		return in.scan(n, op)
	case *plan.Project:
		return project(n, op, ins[0])
	case *plan.Filter:
		return filter(op.Cond, ins[0])
	case *plan.Index:
		return index(op, ins[0])
	case *plan.Lag:
		return lag(n, op, ins[0])
	case *plan.Join:
		if op.Kind == plan.AsofJoin {
			return asof(n, op, ins[0], ins[1])
		}
		return join(n, op, ins[0], ins[1], in.MaxRows)
	case *plan.GroupBy:
		return groupBy(n, op, ins[0])
	case *plan.Window:
		return windowed(n, op, ins[0])
	case *plan.Union:
		return union(n, ins), nil
	case *plan.Persist:
		return ins[0], nil
	case *plan.Head:
		return head(op, ins[0])
	case *plan.Check:
		return ins[0], in.check(op, ins[0])
	}
	return nil, fmt.Errorf("no reference for %T", n.Op)
}

func (in *Interpreter) scan(n *plan.Node, op *plan.Scan) (*Table, error) {
	src := in.Input(op.Input.Name)
	t := &Table{Schema: n.Schema, Rank: slices.Clone(src.Rank), Loose: make([]bool, len(n.Schema.Fields))}
	cols := make([]int, len(op.Columns))
	for i, c := range op.Columns {
		cols[i] = src.Schema.Index(op.Input.Schema.Fields[c].Name)
	}
	for _, r := range src.Rows {
		row := make([]any, len(cols))
		for i, c := range cols {
			row[i] = r[c]
			if f, ok := r[c].(float64); ok && f != f && op.Input.NanAsNull {
				row[i] = nil
			}
		}
		t.Rows = append(t.Rows, row)
	}
	if op.Where == nil {
		return t, nil
	}
	return filter(op.Where, t)
}

func project(n *plan.Node, op *plan.Project, in *Table) (*Table, error) {
	t := &Table{Schema: n.Schema, Rank: in.Rank, Loose: make([]bool, len(op.Exprs))}
	for i, e := range op.Exprs {
		for _, c := range e.Columns() {
			t.Loose[i] = t.Loose[i] || in.Loose[c]
		}
		if _, bare := e.Column(); t.Loose[i] && !bare {
			return nil, ErrOpen
		}
	}
	for _, r := range in.Rows {
		row := make([]any, len(op.Exprs))
		for i, e := range op.Exprs {
			v, err := eval(e, in.Schema, r)
			if err != nil {
				return nil, err
			}
			row[i] = v
		}
		t.Rows = append(t.Rows, row)
	}
	return t, nil
}

func filter(cond *expr.Bound, in *Table) (*Table, error) {
	for _, c := range cond.Columns() {
		if in.Loose[c] {
			return nil, ErrOpen
		}
	}
	t := &Table{Schema: in.Schema, Loose: in.Loose}
	for i, r := range in.Rows {
		v, err := eval(cond, in.Schema, r)
		if err != nil {
			return nil, err
		}
		if v == true {
			t.Rows, t.Rank = append(t.Rows, r), append(t.Rank, in.Rank[i])
		}
	}
	return t, nil
}

// eval computes one expression over one row.
func eval(e *expr.Bound, schema *batch.Schema, row []any) (any, error) {
	if c, ok := e.Column(); ok {
		return row[c], nil
	}
	v, typ, err := refexpr.Eval(e.Tree, schema, func(col int) expr.Value { return toExpr(row[col]) })
	switch {
	case err != nil && refexpr.IsRowError(err):
		return nil, fmt.Errorf("%w: %w", ErrRow, err)
	case err != nil:
		return nil, err
	case e.Type.ID == batch.Nested && v.Null: // a null may be a literal, as no cast has a name for the type
		typ = e.Type
	case typ != e.Type:
		return nil, fmt.Errorf("%s is bound to %s, the reference finds %s", e, e.Type, typ)
	}
	return fromExpr(v, typ), nil
}

func toExpr(v any) expr.Value {
	switch v := v.(type) {
	case bool:
		return expr.Value{Bool: v}
	case int64:
		return expr.Value{Int: v}
	case float64:
		return expr.Value{Float: v}
	case batch.Int128:
		return expr.Value{Int128: v}
	case string:
		return expr.Value{Bytes: []byte(v)}
	}
	return expr.Value{Null: true}
}

func fromExpr(v expr.Value, t batch.Type) any {
	if v.Null {
		return nil
	}
	switch t.Kind() {
	case batch.KindBool:
		return v.Bool
	case batch.KindInt64:
		return v.Int
	case batch.KindFloat64:
		return v.Float
	case batch.KindInt128:
		return v.Int128
	}
	return string(v.Bytes)
}

// index sorts stably and makes the ranks of tied rows again.
func index(op *plan.Index, in *Table) (*Table, error) {
	for _, k := range op.Keys {
		if in.Loose[k.Column] {
			return nil, ErrOpen
		}
	}
	at := make([]int, len(in.Rows))
	for i := range at {
		at[i] = i
	}
	slices.SortStableFunc(at, func(i, j int) int {
		return batchtest.CompareKeys(in.Schema, op.Keys, in.Rows[i], in.Rows[j])
	})
	t := &Table{Schema: in.Schema, Loose: in.Loose}
	rank := -1
	for n, i := range at {
		same := n > 0 && batchtest.CompareKeys(in.Schema, op.Keys, in.Rows[at[n-1]], in.Rows[i]) == 0
		if same && op.Unique {
			return nil, fmt.Errorf("%w: the index is not unique", ErrCheck)
		}
		if !same || in.Rank[i] != in.Rank[at[n-1]] {
			rank++
		}
		t.Rows, t.Rank = append(t.Rows, in.Rows[i]), append(t.Rank, rank)
	}
	return t, nil
}

func head(op *plan.Head, in *Table) (*Table, error) {
	n := min(int(min(op.N, 1<<30)), len(in.Rows))
	if n > 0 && n < len(in.Rows) && in.Rank[n-1] == in.Rank[n] {
		return nil, ErrOpen
	}
	return &Table{Schema: in.Schema, Rows: in.Rows[:n], Rank: in.Rank[:n], Loose: in.Loose}, nil
}

func (in *Interpreter) check(op *plan.Check, t *Table) error {
	bad := int64(len(t.Rows)) < op.MinRows || op.MaxRows >= 0 && int64(len(t.Rows)) > op.MaxRows
	seen := map[string]bool{}
	for _, r := range t.Rows {
		for _, c := range op.NotNull {
			bad = bad || r[c] == nil
		}
		for _, e := range op.Expect {
			v, err := eval(e, t.Schema, r)
			if err != nil {
				return err
			}
			bad = bad || v != true
		}
		if len(op.Unique) > 0 {
			k := keyOf(r, op.Unique)
			bad = bad || seen[k]
			seen[k] = true
		}
	}
	if !bad {
		return nil
	}
	if op.Warn {
		in.Warned++
		return nil
	}
	return ErrCheck
}
