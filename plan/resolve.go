package plan

import (
	"slices"
	"strings"

	"pqjoin/batch"
	"pqjoin/expr"
)

// resolver turns a job's tables into nodes. Its methods panic with an *Error, which resolveJob returns.
type resolver struct {
	job    *Job
	inputs map[string]*Node
	tables map[string]*Node
	specs  map[string]*Table
	stack  []string // tables being resolved, outermost first
	nodes  []*Node
	cells  int // columns of all nodes that have columns of their own

	table *Table // the current verb's place, for new nodes
	verb  Verb
}

func resolveJob(job *Job, schemas SchemaSource) (plan *Plan, err error) {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case *Error:
			plan, err = nil, e
		default:
			panic(e)
		}
	}()
	r := &resolver{job: job, inputs: map[string]*Node{}, tables: map[string]*Node{}, specs: map[string]*Table{}}
	for _, t := range job.Tables {
		r.specs[t.Name] = t
	}
	for _, in := range job.Inputs {
		r.inputs[in.Name] = r.input(in, schemas)
	}
	for _, t := range job.Tables {
		r.lookup(Text{t.Name, t.Name, t.Pos})
	}
	p := &Plan{Job: job}
	for _, out := range job.Outputs {
		o := *out
		o.Node = r.lookup(Text{out.Table, out.Table, out.tablePos})
		r.partition(&o)
		r.bloom(&o)
		p.Outputs = append(p.Outputs, &o)
	}
	p.collect()
	return p, nil
}

// Limits of a plan, against a file that multiplies itself.
const (
	maxNodes = 1_000
	maxCells = 200_000 // columns, over all nodes
)

// add makes a node that reads inputs.
func (r *resolver) add(op Op, schema *batch.Schema, inputs ...*Node) *Node {
	if len(inputs) == 0 || schema != inputs[0].Schema {
		r.cells += len(schema.Fields)
	}
	if len(r.nodes) >= maxNodes || r.cells > maxCells {
		r.job.fail(r.verb.Pos, "cut the job in two", "the job makes more than %d steps, or %d columns over all of them", maxNodes, maxCells)
	}
	n := &Node{ID: len(r.nodes), Op: op, Inputs: inputs, Schema: schema, Verb: r.verb.Name, Pos: r.verb.Pos}
	if r.table != nil {
		n.Table = r.table.Name
	}
	if len(inputs) > 0 {
		n.Index, n.Ordered = inputs[0].Index, inputs[0].Ordered
	}
	r.nodes = append(r.nodes, n)
	return n
}

// lookup returns the node of an input or a table, resolving it first where needed.
func (r *resolver) lookup(name Text) *Node {
	if n := r.inputs[name.Value]; n != nil {
		return n
	}
	if n := r.tables[name.Value]; n != nil {
		return n
	}
	t := r.specs[name.Value]
	if t == nil {
		r.job.fail(name.Pos, hintTable(name.Value, r.names()), "unknown table %q", name.Show)
	}
	if i := slices.Index(r.stack, name.Value); i >= 0 {
		cycle := append(slices.Clone(r.stack[i:]), name.Value)
		r.job.fail(name.Pos, "a table can only read tables that do not read it", "the tables read each other: %s", strings.Join(cycle, " -> "))
	}
	r.stack = append(r.stack, name.Value)
	n := r.pipeline(t)
	r.stack = r.stack[:len(r.stack)-1]
	r.tables[name.Value] = n
	return n
}

// names returns the tables that may be meant: not those that would read themselves.
func (r *resolver) names() []string {
	var names []string
	for _, in := range r.job.Inputs {
		names = append(names, in.Name)
	}
	for _, t := range r.job.Tables {
		if !slices.Contains(r.stack, t.Name) {
			names = append(names, t.Name)
		}
	}
	return names
}

func (r *resolver) pipeline(t *Table) *Node {
	var n *Node
	for _, v := range t.Verbs {
		if from, ok := v.spec.(*fromSpec); ok {
			n = r.lookup(from.table)
			continue
		}
		var right *Node
		if j, ok := v.spec.(*joinSpec); ok {
			right = r.lookup(j.with)
		}
		if u, ok := v.spec.(*unionSpec); ok {
			n = r.unionVerb(t, v, n, u)
			continue
		}
		r.table, r.verb = t, v
		n = r.step(n, right, v)
	}
	return n
}

func (r *resolver) step(n, right *Node, v Verb) *Node {
	switch s := v.spec.(type) {
	case *selectSpec:
		return r.selectVerb(n, s)
	case *dropSpec:
		return r.dropVerb(n, s)
	case *renameSpec:
		return r.renameVerb(n, s)
	case *computeSpec:
		return r.computeVerb(n, s)
	case *whereSpec:
		return r.add(&Filter{Cond: r.condition(n.Schema, s.cond, "where")}, n.Schema, n)
	case *indexSpec:
		keys := r.keys(n.Schema, s.keys, s.nullsFirst)
		return r.index(n, keys, s.unique)
	case *lagSpec:
		return r.lagVerb(n, s)
	case *windowSpec:
		return r.windowVerb(n, s)
	case *joinSpec:
		return r.joinVerb(n, right, s)
	case *groupbySpec:
		return r.groupbyVerb(n, s)
	case *distinctSpec:
		return r.distinctVerb(n, s)
	case *persistSpec:
		return r.add(&Persist{}, n.Schema, n)
	case *headSpec:
		requireOrder(n, v.Name)
		return r.add(&Head{N: s.n}, n.Schema, n)
	case *checkSpec:
		return r.checkVerb(n, s)
	}
	panic("plan: verb without a resolver: " + v.Name)
}

// input makes the scan of an input.
func (r *resolver) input(in *Input, schemas SchemaSource) *Node {
	schema, err := schemas.Schema(in)
	if err != nil {
		e := r.job.errorAt(in.Pos, "", "input %q: %s", in.Name, err)
		e.Err = err
		panic(e)
	}
	in.Schema = schema
	if in.NanAsNull {
		in.Schema = batch.NewSchema(slices.Clone(schema.Fields)...)
		for i, f := range in.Schema.Fields {
			in.Schema.Fields[i].Nullable = f.Nullable || f.Type.IsFloat()
		}
	}
	for _, t := range in.types {
		r.column(in.Schema, t)
	}
	r.table, r.verb = nil, Verb{Name: "from", Pos: in.Pos}
	return r.scan(in)
}

func (r *resolver) scan(in *Input) *Node {
	cols := make([]int, 0, len(in.Schema.Fields))
	for _, t := range in.columns {
		cols = append(cols, r.column(in.Schema, t))
	}
	if in.columns == nil {
		for i := range in.Schema.Fields {
			cols = append(cols, i)
		}
	}
	shown := len(cols)
	if in.where == nil {
		return r.scanNode(in, cols, nil)
	}
	cond := r.condition(in.Schema, in.where, "where")
	for _, c := range cond.Columns() {
		if !slices.Contains(cols, c) {
			cols = append(cols, c)
		}
	}
	n := r.scanNode(in, cols, cond.Remap(func(old int) int { return slices.Index(cols, old) }))
	if shown == len(cols) {
		return n
	}
	return r.keep(n, shown)
}

func (r *resolver) scanNode(in *Input, cols []int, where *expr.Bound) *Node {
	n := r.add(&Scan{Input: in, Columns: cols, Where: where}, in.Schema.Select(cols))
	n.Table, n.Ordered = in.Name, true
	return n
}

// keep drops all columns but the first count.
func (r *resolver) keep(n *Node, count int) *Node {
	exprs := make([]*expr.Bound, count)
	names := make([]string, count)
	for i := range exprs {
		exprs[i], names[i] = expr.ColumnRef(n.Schema, i), n.Schema.Fields[i].Name
	}
	return r.project(n, names, exprs)
}

// column returns the position of a named column, or stops.
func (r *resolver) column(s *batch.Schema, t Text) int {
	i := s.Index(t.Value)
	if i < 0 {
		r.job.fail(t.Pos, hintColumn(t.Value, s.Names()), "unknown column %q", t.Show)
	}
	return i
}

// key is column for a column whose values are compared.
func (r *resolver) key(s *batch.Schema, t Text) int {
	i := r.column(s, t)
	if typ := s.Fields[i].Type; !typ.Comparable() {
		r.job.fail(t.Pos, "only plain columns can be compared", "the %s column %q cannot be a key", typ, t.Show)
	}
	return i
}

func (r *resolver) bind(s *batch.Schema, e *exprText) *expr.Bound {
	b, err := expr.Bind(e.tree, s)
	if err != nil {
		panic(r.job.exprError(e, err))
	}
	return b
}

// conditionHint says how a value of type t becomes a condition.
func conditionHint(t batch.Type) string {
	if t.ID == batch.Nested {
		return "x is not null is one"
	}
	return "compare it with something"
}

// condition binds an expression that must be true or false.
func (r *resolver) condition(s *batch.Schema, e *exprText, what string) *expr.Bound {
	b := r.bind(s, e)
	if b.Type.ID != batch.Bool {
		r.job.fail(e.at(0), conditionHint(b.Type), "%s needs a condition, and this is %s", what, b.Type)
	}
	return b
}

func (r *resolver) keys(s *batch.Schema, specs []keySpec, nullsFirst bool) []SortKey {
	var keys []SortKey
	for _, k := range specs {
		keys = append(keys, SortKey{Column: r.key(s, k.column), Desc: k.desc, NullsFirst: nullsFirst})
	}
	return keys
}

// index sorts n. Rows with equal keys keep their order, so the input's order must be defined.
func (r *resolver) index(n *Node, keys []SortKey, unique bool) *Node {
	if !unique {
		requireOrder(n, "index")
	}
	out := r.add(&Index{Keys: keys, Unique: unique}, n.Schema, n)
	out.Index, out.Ordered = keys, true
	return out
}

func (r *resolver) checkVerb(n *Node, s *checkSpec) *Node {
	op := &Check{MinRows: s.minRows, MaxRows: s.maxRows, Warn: s.warn}
	for _, t := range s.notNull {
		op.NotNull = append(op.NotNull, r.column(n.Schema, t))
	}
	for _, t := range s.unique {
		op.Unique = append(op.Unique, r.key(n.Schema, t))
	}
	for _, e := range s.expect {
		op.Expect = append(op.Expect, r.condition(n.Schema, e, "expect"))
	}
	return r.add(op, n.Schema, n)
}
