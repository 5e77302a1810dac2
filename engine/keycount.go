package engine

import (
	"cmp"
	"context"
	"errors"
	"math/bits"
	"slices"
	"sync"

	"pqjoin/batch"
	"pqjoin/expr"
	"pqjoin/plan"
)

// JoinCount is how many rows a join will produce, counted from the keys of both sides.
type JoinCount struct {
	Rows         int64      `json:"rows"` // saturates at the largest int64
	LeftRows     int64      `json:"left_rows"`
	LeftKeys     int64      `json:"left_keys"`      // distinct keys on the left
	MatchedKeys  int64      `json:"matched_keys"`   // of them, those the right has too
	MostPerRight int64      `json:"max_right_rows"` // rows of the right's most frequent matched key
	Heaviest     []HeavyKey `json:"heaviest"`
}

// HeavyKey is a key and how many rows have it.
type HeavyKey struct {
	Key   string `json:"key"`
	Left  int64  `json:"left_rows"`
	Right int64  `json:"right_rows"`
	Rows  int64  `json:"rows"`
}

// heaviest is how many heavy keys are named.
const heaviest = 5

// CountJoin counts the rows that the join at n will produce, exactly, by reading the
// key columns alone: both sides are grouped by key and the counts joined, out of core like any job.
func (r *Run) CountJoin(ctx context.Context, n *plan.Node) (*JoinCount, error) {
	op := n.Op.(*plan.Join)
	left := countKeys(n.Inputs[0], op.LeftKeys)
	right := countKeys(n.Inputs[1], op.RightKeys)
	k, kind := len(op.LeftKeys), plan.LeftJoin
	fields := slices.Clone(left.Schema.Fields)
	if op.Kind.KeepsRight() {
		kind = plan.OuterJoin
		for i := range fields {
			fields[i].Nullable = true
		}
	}
	join := &plan.Node{
		Op:     &plan.Join{Kind: kind, LeftKeys: batch.Positions(k), RightKeys: batch.Positions(k), RightOut: []int{k}, NullsEqual: op.NullsEqual, Strategy: "auto"},
		Inputs: []*plan.Node{left, right}, Table: n.Table, Verb: "count keys",
		Schema: batch.NewSchema(append(fields, batch.Field{Name: "\x00right", Type: batch.Of(batch.Int64), Nullable: true})...),
	}
	c := &keyCounter{keys: k, kind: op.Kind, show: newRenderer(left.Schema.Select(batch.Positions(k)))}
	if err := r.scratch(ctx, join, func(Share) batch.Sink { return &eachSink{use: c.add} }); err != nil {
		return nil, err
	}
	return c.result(), nil
}

// scratch makes a table that no output has and puts it into the sink that mk makes.
func (r *Run) scratch(ctx context.Context, n *plan.Node, mk func(Share) batch.Sink) (err error) {
	sub := &Run{cfg: r.cfg, job: r.job, tables: r.tables, exact: map[*plan.Node]int64{}, counts: map[*plan.Node]*JoinCount{}, rules: &ruleBook{}, setAside: r.setAside}
	sub.cfg.Board = nil
	sub.plan = &plan.Plan{Job: r.job, Nodes: ordered(n, map[*plan.Node]bool{})}
	sub.replan(ctx)
	if sub.short != nil && len(r.held) > 0 { // which are not worth a refusal
		if err := r.letGoAll(); err != nil {
			return err
		}
		sub.setAside = r.setAside
		sub.replan(ctx)
	}
	if sub.short != nil {
		return sub.short
	}
	x, err := sub.newExecIn(r.spillParent())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, x.close(err == nil)) }()
	rel, err := x.table(ctx, sub.nodes[n])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rel.close()) }()
	return x.pipe(ctx, rel, mk(sub.share), "count")
}

// ordered lists the nodes below n, inputs first.
func ordered(n *plan.Node, seen map[*plan.Node]bool) []*plan.Node {
	if seen[n] {
		return nil
	}
	seen[n] = true
	var out []*plan.Node
	for _, in := range n.Inputs {
		out = append(out, ordered(in, seen)...)
	}
	return append(out, n)
}

// eachSink shows batches to a function.
type eachSink struct{ use func(*batch.Batch) }

func (s *eachSink) Put(_ context.Context, _, _ int, b *batch.Batch) error {
	s.use(b)
	b.Release()
	return nil
}
func (s *eachSink) EndUnit(context.Context, int, int) error { return nil }
func (s *eachSink) Finish(context.Context) error            { return nil }
func (s *eachSink) Close() error                            { return nil }

// countKeys returns a node that counts the rows of each key of n's table.
func countKeys(n *plan.Node, keys []int) *plan.Node {
	in := keysOnly(n, keys)
	fields := append(append([]batch.Field(nil), in.Schema.Fields...), batch.Field{Name: "\x00count", Type: batch.Of(batch.Int64)})
	return &plan.Node{
		Op:     &plan.GroupBy{Keys: batch.Positions(len(keys)), Aggs: []plan.Agg{{Name: "\x00count", Func: "count", Arg: -1, Filter: -1, Type: batch.Of(batch.Int64)}}},
		Inputs: []*plan.Node{in}, Schema: batch.NewSchema(fields...), Table: n.Table, Verb: "count keys",
	}
}

// keysOnly returns a node for the columns cols of n's table, in any order of rows: sorts and
// lags are left out, and scans read what the columns need.
func keysOnly(n *plan.Node, cols []int) *plan.Node {
	switch op := n.Op.(type) {
	case *plan.Index:
		return keysOnly(n.Inputs[0], cols)
	case *plan.Lag, *plan.Window:
		if len(below(cols, len(n.Inputs[0].Schema.Fields))) == len(cols) {
			return keysOnly(n.Inputs[0], cols)
		}
	case *plan.Project:
		exprs := make([]*expr.Bound, len(cols))
		for i, c := range cols {
			exprs[i] = op.Exprs[c]
		}
		return projectOver(n, n.Inputs[0], exprs, n.Schema.Select(cols))
	case *plan.Filter:
		need := union(cols, op.Cond.Columns())
		under := keysOnly(n.Inputs[0], need)
		f := &plan.Node{Op: &plan.Filter{Cond: op.Cond.Remap(position(need))}, Inputs: []*plan.Node{under}, Schema: under.Schema, Table: n.Table}
		return pick(f, need, cols)
	case *plan.Scan:
		need := cols
		var where *expr.Bound
		if op.Where != nil {
			need = union(cols, op.Where.Columns())
			where = op.Where.Remap(position(need))
		}
		scan := &plan.Scan{Input: op.Input, Columns: make([]int, len(need)), Where: where}
		for i, c := range need {
			scan.Columns[i] = op.Columns[c]
		}
		return pick(&plan.Node{Op: scan, Schema: n.Schema.Select(need), Table: n.Table}, need, cols)
	}
	return pick(n, batch.Positions(len(n.Schema.Fields)), cols)
}

func projectOver(n, in *plan.Node, exprs []*expr.Bound, schema *batch.Schema) *plan.Node {
	var need []int
	for _, e := range exprs {
		need = union(need, e.Columns())
	}
	under := keysOnly(in, need)
	out := make([]*expr.Bound, len(exprs))
	for i, e := range exprs {
		out[i] = e.Remap(position(need))
	}
	return &plan.Node{Op: &plan.Project{Exprs: out}, Inputs: []*plan.Node{under}, Schema: schema, Table: n.Table}
}

// pick projects n, whose columns are have, to the columns want.
func pick(n *plan.Node, have, want []int) *plan.Node {
	if slices.Equal(have, want) {
		return n
	}
	at := position(have)
	exprs := make([]*expr.Bound, len(want))
	idx := make([]int, len(want))
	for i, c := range want {
		idx[i] = at(c)
		exprs[i] = expr.ColumnRef(n.Schema, idx[i])
	}
	return &plan.Node{Op: &plan.Project{Exprs: exprs}, Inputs: []*plan.Node{n}, Schema: n.Schema.Select(idx), Table: n.Table}
}

func position(cols []int) func(int) int {
	return func(c int) int { return slices.Index(cols, c) }
}

func union(a, b []int) []int {
	out := slices.Clone(a)
	for _, c := range b {
		if !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

// keyCounter adds up left x right over the keys.
type keyCounter struct {
	keys int
	kind plan.JoinKind
	show *renderer

	mu sync.Mutex
	c  JoinCount
}

func (k *keyCounter) add(b *batch.Batch) {
	k.mu.Lock()
	defer k.mu.Unlock()
	left, right := b.Cols[k.keys], b.Cols[k.keys+1]
	for i := range b.N {
		l, r := countAt(left, i), countAt(right, i)
		if l > 0 {
			k.c.LeftKeys++
			k.c.LeftRows += l
		}
		if l > 0 && r > 0 {
			k.c.MatchedKeys++
			k.c.MostPerRight = max(k.c.MostPerRight, r)
		}
		rows := joinedRows(k.kind, l, r)
		k.c.Rows = addSat(k.c.Rows, rows)
		k.offer(b, i, HeavyKey{Left: l, Right: r, Rows: rows})
	}
}

// countAt returns a count, 0 for null.
func countAt(c *batch.Column, i int) int64 {
	if c.IsNull(i) {
		return 0
	}
	return c.Int64s()[i]
}

// joinedRows is how many rows a join makes of a key that l left and r right rows have.
func joinedRows(kind plan.JoinKind, l, r int64) int64 {
	switch {
	case kind == plan.SemiJoin && r > 0, kind == plan.AntiJoin && r == 0, kind.KeepsLeft() && r == 0:
		return l
	case kind.Filters():
		return 0
	case kind.KeepsRight() && l == 0:
		return r
	}
	return mulSat(l, r)
}

// offer keeps the heaviest keys; among equals the smaller text, so that the answer does
// not depend on the order in which they come.
func (k *keyCounter) offer(b *batch.Batch, row int, h HeavyKey) {
	hs := k.c.Heaviest
	if n := len(hs); n == heaviest && (h.Rows < hs[n-1].Rows || h.Rows == 1) {
		return
	}
	h.Key = Render(b.Cols[0], row)
	for c := 1; c < k.keys; c++ {
		h.Key += ", " + Render(b.Cols[c], row)
	}
	at, _ := slices.BinarySearchFunc(hs, h, func(a, b HeavyKey) int {
		return cmp.Or(cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.Key, b.Key))
	})
	hs = slices.Insert(hs, at, h)
	k.c.Heaviest = hs[:min(len(hs), heaviest)]
}

func (k *keyCounter) result() *JoinCount {
	k.mu.Lock()
	defer k.mu.Unlock()
	return &k.c
}

func mulSat(a, b int64) int64 {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	if hi != 0 || int64(lo) < 0 {
		return 1<<63 - 1
	}
	return int64(lo)
}

func addSat(a, b int64) int64 {
	if s := a + b; s >= a {
		return s
	}
	return 1<<63 - 1
}
