// Package export writes a job as a program for another engine that gives the same answer.
//
// It translates the logical plan as the job has it, before any rewriting: a statement for each step of a table, with the
// job's own line above it. What the other engine has no word for is refused by name, never left out.
//
// Invariants:
//
//   - The text depends on the job and on its inputs' names and schemas alone.
//   - Values of ${env:NAME} are not in it: texts go through Job.Redact before they are quoted, and the whole does at the end.
//   - A line end in it is one of the layout: those of texts are written as chr(10), and names that have some are refused.
//   - An order that the job defines is a column of row numbers, which steps that need it carry; where nobody needs it there is none.
package export

import (
	"fmt"
	"slices"
	"strings"

	"pqjoin/batch"
	"pqjoin/expr"
	"pqjoin/plan"
)

// Targets are the names that --to takes; LaterTargets are those that it will take.
var (
	Targets      = []string{"duckdb"}
	LaterTargets = []string{"spark-sql", "pyspark"}
)

// DuckDB returns a resolved plan as a script of SQL for DuckDB 2.0. found tells what lies at the paths of each input.
// The error is a *plan.Error at the verb, or the function, that DuckDB has no counterpart for.
func DuckDB(p *plan.Plan, found map[*plan.Input]plan.Found) (sql string, err error) {
	w := &writer{plan: p, found: found, names: map[*plan.Node]string{}, has: map[*plan.Node]bool{},
		taken: map[string]bool{}, finals: map[string]string{}, last: map[string]*plan.Node{}}
	defer func() {
		switch e := recover().(type) {
		case nil:
		case *plan.Error:
			sql, err = "", e
		default:
			panic(e)
		}
	}()
	w.prepare()
	w.head()
	for _, n := range p.Nodes {
		w.step(n)
	}
	for _, o := range p.Outputs {
		w.output(o)
	}
	return p.Job.Redact(w.b.String()), nil
}

// writer writes one script.
type writer struct {
	plan  *plan.Plan
	found map[*plan.Input]plan.Found
	b     strings.Builder

	names   map[*plan.Node]string // views, quoted
	readers map[*plan.Node]int
	needs   map[*plan.Node]bool // somebody needs the order of its rows
	has     map[*plan.Node]bool // its view has the column of row numbers
	taken   map[string]bool     // names in use, in lower case: DuckDB does not tell a from A
	row     string              // the column of row numbers, quoted
	at      *plan.Node          // the node being written, for errors
	finals  map[string]string   // inputs and tables to what their last steps are called
	last    map[string]*plan.Node
}

func (w *writer) printf(format string, args ...any) { fmt.Fprintf(&w.b, format, args...) }

// refuse stops at what DuckDB has no counterpart for.
func (w *writer) refuse(n *plan.Node, hint, format string, args ...any) {
	panic(w.plan.Job.ErrorAt(n.Pos, hint, fmt.Sprintf(format, args...)+" cannot be exported to DuckDB"))
}

// prepare finds names, and who needs an order.
func (w *writer) prepare() {
	w.needs, w.readers = map[*plan.Node]bool{}, map[*plan.Node]int{}
	for _, o := range w.plan.Outputs {
		w.needs[o.Node] = true
		w.readers[o.Node]++
	}
	for _, n := range slices.Backward(w.plan.Nodes) {
		w.needs[n] = w.needs[n] && n.Ordered
		for i, in := range n.Inputs {
			w.readers[in]++
			w.needs[in] = w.needs[in] || w.wants(n, i)
		}
	}
	columns := w.columns()
	row := "_row"
	for columns[row] || columns[row+"_part"] {
		row = "_" + row
	}
	w.row = name(row)
	for _, in := range w.plan.Job.Inputs {
		w.oneLine(in.Pos, "an input", in.Name)
		w.finals[in.Name] = w.free(in.Name)
	}
	for _, t := range w.plan.Job.Tables {
		w.oneLine(t.Pos, "a table", t.Name)
		w.finals[t.Name] = w.free(t.Name)
	}
	for _, n := range w.plan.Nodes {
		if n.Table != "" {
			w.last[n.Table] = n
		}
	}
}

// columns returns the names of all columns, in lower case. Those that DuckDB does not tell apart are refused.
func (w *writer) columns() map[string]bool {
	all := map[string]bool{}
	for _, n := range w.plan.Nodes {
		seen := map[string]string{}
		for _, f := range n.Schema.Fields {
			w.oneLine(n.Pos, "a column", f.Name)
			low := strings.ToLower(f.Name)
			if other, twice := seen[low]; twice {
				w.refuse(n, "rename one of them", "a table with the columns %q and %q, which DuckDB does not tell apart,", other, f.Name)
			}
			seen[low] = f.Name
			all[low] = true
		}
	}
	return all
}

// oneLine refuses a name with a line end, which the layout of the script would take for its own.
func (w *writer) oneLine(at plan.Pos, what, name string) {
	if strings.ContainsAny(name, "\n\r") {
		panic(w.plan.Job.ErrorAt(at, "rename it", fmt.Sprintf("%s whose name has a line end, %q, cannot be exported to DuckDB", what, w.plan.Job.Redact(name))))
	}
}

// free returns a name that is not in use yet, and takes it.
func (w *writer) free(base string) string {
	full := base
	for i := 2; w.taken[strings.ToLower(full)]; i++ {
		full = fmt.Sprintf("%s_%d", base, i)
	}
	w.taken[strings.ToLower(full)] = true
	return full
}

// wants says whether a node needs the order of its i-th input.
func (w *writer) wants(n *plan.Node, i int) bool {
	switch op := n.Op.(type) {
	case *plan.Lag, *plan.Window, *plan.Head:
		return true
	case *plan.GroupBy:
		return slices.ContainsFunc(op.Aggs, func(a plan.Agg) bool { return ordered[a.Func] })
	case *plan.Join:
		return w.needs[n] && (i == 0 || !op.Kind.Filters()) || i == 1 && op.Kind == plan.AsofJoin
	}
	return w.needs[n]
}

// view chooses the name of a node's view: the table's own for its last step.
func (w *writer) view(n *plan.Node) string {
	table := n.Table
	if w.last[table] == n {
		return name(w.finals[table])
	}
	if table == "" { // of an input, whose scan it reads
		table = n.Inputs[0].Table
	}
	return name(w.free(table + " " + n.Verb))
}

// step writes a node as a view, or as a table where several read it.
func (w *writer) step(n *plan.Node) {
	if w.same(n) {
		return
	}
	view := w.view(n)
	if n.Table != "" && (w.at == nil || w.at.Pos != n.Pos || w.at.Table != n.Table) {
		w.printf("\n-- %s: %s\n", n.Table, w.place(n.Pos))
	}
	w.at = n
	kind := "VIEW"
	if _, ok := n.Op.(*plan.Scan); !ok && w.readers[n] > 1 {
		kind = "TABLE" // made once
	}
	w.printf("CREATE OR REPLACE TEMP %s %s AS\n", kind, view)
	w.printf("%s;\n", w.selects(n))
	w.names[n] = view
	w.checks(n)
}

// same takes a step that changes nothing for its input, unless it ends a table.
func (w *writer) same(n *plan.Node) bool {
	op, ok := n.Op.(*plan.Project)
	if !ok || w.last[n.Table] == n || len(op.Exprs) != len(n.Inputs[0].Schema.Fields) {
		return false
	}
	in := n.Inputs[0]
	for i, b := range op.Exprs {
		if c, bare := b.Column(); !bare || c != i || n.Schema.Fields[i].Name != in.Schema.Fields[i].Name {
			return false
		}
	}
	w.names[n], w.has[n] = w.names[in], w.has[in]
	return true
}

// place shows where in the job a step comes from.
func (w *writer) place(at plan.Pos) string {
	line := strings.TrimSpace(spaced(w.plan.Job.Line(at.Line)))
	if r := []rune(line); len(r) > 160 {
		line = string(r[:160]) + " ..."
	}
	return fmt.Sprintf("line %d, %s", at.Line, strings.TrimPrefix(line, "- "))
}

// selects returns the select of a node.
func (w *writer) selects(n *plan.Node) string {
	switch op := n.Op.(type) {
	case *plan.Scan:
		return w.scan(n, op)
	case *plan.Project:
		return w.project(n, op)
	case *plan.Filter:
		return w.pass(n) + "\nWHERE " + w.expression(n, op.Cond)
	case *plan.Index:
		return w.index(n, op)
	case *plan.Lag:
		return w.lag(n, op)
	case *plan.Window:
		return w.window(n, op)
	case *plan.Join:
		return w.join(n, op)
	case *plan.GroupBy:
		return w.groupBy(n, op)
	case *plan.Union:
		return w.union(n)
	case *plan.Persist, *plan.Check:
		return w.pass(n)
	case *plan.Head:
		s := w.pass(n)
		if w.has[n.Inputs[0]] {
			s += "\nORDER BY " + w.row
		}
		return s + fmt.Sprintf("\nLIMIT %d", op.N)
	}
	w.refuse(n, "", "%s", n.Verb)
	return ""
}

// pass selects a node's input as it is.
func (w *writer) pass(n *plan.Node) string {
	in := n.Inputs[0]
	w.has[n] = w.has[in]
	return "SELECT * FROM " + w.names[in]
}

func (w *writer) project(n *plan.Node, op *plan.Project) string {
	in := n.Inputs[0]
	var cols []string
	for i, b := range op.Exprs {
		text, as := w.expression(in, b), name(n.Schema.Fields[i].Name)
		if text != as {
			text += " AS " + as
		}
		cols = append(cols, text)
	}
	if w.has[in] {
		cols = append(cols, w.row)
		w.has[n] = true
	}
	return "SELECT " + commas(cols) + "\nFROM " + w.names[in]
}

// index numbers the rows anew where somebody reads the order.
func (w *writer) index(n *plan.Node, op *plan.Index) string {
	if !w.needs[n] {
		return w.pass(n)
	}
	return w.numbered(n, "*", w.orderBy(n, op.Keys, w.has[n.Inputs[0]]))
}

// numbered selects a node's input with row numbers of a new order.
func (w *writer) numbered(n *plan.Node, what, order string) string {
	in := n.Inputs[0]
	w.has[n] = true
	number := fmt.Sprintf("row_number() OVER (ORDER BY %s)", order)
	if w.has[in] {
		return fmt.Sprintf("SELECT %s REPLACE (%s AS %s)\nFROM %s", what, number, w.row, w.names[in])
	}
	return fmt.Sprintf("SELECT %s, %s AS %s\nFROM %s", what, number, w.row, w.names[in])
}

// orderBy writes keys of n's columns; with rows, earlier rows come first among equals.
func (w *writer) orderBy(n *plan.Node, keys []plan.SortKey, rows bool) string {
	var parts []string
	for _, k := range keys {
		parts = append(parts, direction(name(n.Schema.Fields[k.Column].Name), k))
	}
	if rows {
		parts = append(parts, w.row)
	}
	return strings.Join(parts, ", ")
}

func direction(column string, k plan.SortKey) string {
	if k.Desc {
		column += " DESC"
	}
	if k.NullsFirst {
		return column + " NULLS FIRST"
	}
	return column + " NULLS LAST"
}

func (w *writer) union(n *plan.Node) string {
	names := make([]string, len(n.Schema.Fields))
	for i, f := range n.Schema.Fields {
		names[i] = name(f.Name)
	}
	cols := strings.Join(names, ", ")
	var parts []string
	for i, in := range n.Inputs {
		s := "SELECT " + cols
		if w.needs[n] {
			s += fmt.Sprintf(", %d AS %s, %s", i, w.part(), w.row)
		}
		parts = append(parts, s+" FROM "+w.names[in])
	}
	all := strings.Join(parts, "\nUNION ALL ")
	if !w.needs[n] {
		return all
	}
	w.has[n] = true
	return fmt.Sprintf("SELECT %s, row_number() OVER (ORDER BY %s, %s) AS %s\nFROM %s", cols, w.part(), w.row, w.row, subselect(all))
}

// part is the column that says which table of a union a row is of.
func (w *writer) part() string { return name(strings.Trim(w.row, `"`) + "_part") }

// columns returns the quoted names of positions.
func columns(s *batch.Schema, at []int) []string {
	out := make([]string, len(at))
	for i, c := range at {
		out[i] = name(s.Fields[c].Name)
	}
	return out
}

// expression writes an expression over the columns of n's table.
func (w *writer) expression(n *plan.Node, b *expr.Bound) string {
	e := &expression{w: w, schema: n.Schema}
	e.write(b.Part())
	return e.b.String()
}
