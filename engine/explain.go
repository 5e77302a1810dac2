package engine

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize"

	"pqjoin/plan"
)

// Explanation is what a job would do and cost; its JSON is what plan --format json prints.
type Explanation struct {
	Job      string       `json:"job"`
	Memory   MemoryInfo   `json:"memory"`
	Stages   []StageInfo  `json:"stages"`
	Tables   []TableInfo  `json:"tables"`
	Joins    []JoinInfo   `json:"joins,omitempty"`
	Outputs  []OutputInfo `json:"outputs"`
	Graph    []GraphNode  `json:"graph"`
	Spill    int64        `json:"spill_bytes"`
	Warnings []string     `json:"warnings,omitempty"`
	Refused  string       `json:"refused,omitempty"` // why run would refuse it
}

// MemoryInfo says how the bound is divided. Sizes are bytes.
type MemoryInfo struct {
	Bound     int64 `json:"bound_bytes"`
	Floor     int64 `json:"floor_bytes"` // the smallest --mem that runs the job
	Pool      int64 `json:"pool_bytes"`
	Fixed     int64 `json:"fixed_bytes"` // readers, batches, output buffers
	Load      int64 `json:"load_bytes"`  // a partition at work, per worker
	Workers   int   `json:"workers"`
	BatchRows int   `json:"batch_rows"`
}

// TableInfo describes a table of the job as it leaves its last verb.
type TableInfo struct {
	Name    string       `json:"name"`
	Rows    int64        `json:"rows"`
	Exact   bool         `json:"exact"`
	Bytes   int64        `json:"bytes"`
	Index   []string     `json:"index,omitempty"`
	Ordered bool         `json:"ordered"`
	Columns []ColumnInfo `json:"columns"`
}

// ColumnInfo is a column of a table.
type ColumnInfo struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Nullable bool   `json:"nullable"`
}

// JoinInfo describes a join.
type JoinInfo struct {
	Table    string     `json:"table"`
	On       string     `json:"on"`
	Step     string     `json:"step"` // as stages name it
	Strategy Strategy   `json:"strategy"`
	Why      string     `json:"why"`
	Rows     int64      `json:"rows"` // that the join makes, or would make, had it not been aggregated before
	Exact    bool       `json:"exact"`
	Instead  string     `json:"instead,omitempty"` // where the sides are aggregated before the join: how and why
	Groups   *int64     `json:"groups,omitempty"`  // and how many rows it makes then, estimated
	Count    *JoinCount `json:"count,omitempty"`
}

// OutputInfo describes an output.
type OutputInfo struct {
	Label string `json:"label"`
	Table string `json:"table"`
	Path  string `json:"path"` // absolute
	shown string // as the job has it
	Rows  int64  `json:"rows"`
	Exact bool   `json:"exact"`
	Bytes int64  `json:"bytes"`
}

// Warnings are sentences for who runs the job: files that are left out, and what the plan does that may surprise.
func (r *Run) Warnings() (said []string) {
	said = r.LeftOutFiles()
	for _, n := range r.plan.Nodes {
		said = append(said, n.Warnings...)
	}
	return said
}

// LeftOutFiles says which files of folders are no part of an input: a CSV file beside Parquet files is not.
func (r *Run) LeftOutFiles() (said []string) {
	ids := slices.SortedFunc(maps.Keys(r.tables), func(a, b *plan.Input) int { return cmp.Compare(a.Name, b.Name) })
	for _, in := range ids {
		for _, s := range r.tables[in].LeftOut() {
			if len(r.job.Inputs) > 0 {
				s = fmt.Sprintf("input %q: %s", in.Name, s)
			}
			said = append(said, s)
		}
	}
	return said
}

// Explain describes the job as it stands planned; counts made by Count are in it.
func (r *Run) Explain() *Explanation {
	s := r.share
	e := &Explanation{
		Job:    r.job.File,
		Memory: MemoryInfo{Bound: r.cfg.Mem, Floor: r.Floor(), Pool: s.Pool, Fixed: s.Fixed, Load: s.Load, Workers: s.Workers, BatchRows: s.BatchRows},
		Stages: r.Stages(), Graph: r.graph(), Spill: r.Spill(),
	}
	if r.short != nil {
		e.Refused = r.short.Error()
	}
	e.Warnings = r.Warnings()
	for _, n := range r.plan.Nodes {
		e.addJoin(r, n)
	}
	for _, n := range r.named {
		e.Tables = append(e.Tables, r.tableInfo(n))
	}
	for _, o := range r.plan.Outputs {
		est := r.nodes[o.Node].est
		e.Outputs = append(e.Outputs, OutputInfo{Label: o.Label, Table: o.Table, Path: r.path(o), shown: o.Show, Rows: est.Rows, Exact: est.Exact, Bytes: est.Bytes()})
	}
	e.redact(r.job.Redact)
	return e
}

// cleaned returns the texts with what is secret replaced.
func cleaned(list []string, clean func(string) string) []string {
	list = slices.Clone(list)
	for i, s := range list {
		list[i] = clean(s)
	}
	return list
}

// redact replaces what is secret in the texts that hold expressions, names or values.
func (e *Explanation) redact(clean func(string) string) {
	all := func(list []string) []string { return cleaned(list, clean) }
	e.Refused, e.Warnings = clean(e.Refused), all(e.Warnings)
	for i := range e.Stages {
		s := &e.Stages[i]
		s.Name, s.Steps = clean(s.Name), all(s.Steps)
	}
	for i := range e.Graph {
		e.Graph[i].Lines = all(e.Graph[i].Lines)
	}
	for i := range e.Tables {
		t := &e.Tables[i]
		t.Name, t.Index = clean(t.Name), all(t.Index)
		for c := range t.Columns {
			t.Columns[c].Name, t.Columns[c].Type = clean(t.Columns[c].Name), clean(t.Columns[c].Type)
		}
	}
	for i := range e.Joins {
		e.Joins[i].redact(clean)
	}
	for i := range e.Outputs {
		o := &e.Outputs[i]
		o.Label, o.Table = clean(o.Label), clean(o.Table)
	}
}

func (j *JoinInfo) redact(clean func(string) string) {
	j.Table, j.On, j.Step, j.Why, j.Instead = clean(j.Table), clean(j.On), clean(j.Step), clean(j.Why), clean(j.Instead)
	if j.Count == nil {
		return
	}
	count := *j.Count
	count.Heaviest = slices.Clone(count.Heaviest)
	for i := range count.Heaviest {
		count.Heaviest[i].Key = clean(count.Heaviest[i].Key)
	}
	j.Count = &count
}

// lastNodes returns the node with which each table ends, in plan order.
func lastNodes(p *plan.Plan) []*plan.Node {
	last, inputs := map[string]*plan.Node{}, map[string]bool{}
	for _, n := range p.Nodes {
		if scan, isScan := n.Op.(*plan.Scan); isScan {
			inputs[scan.Input.Name] = true
		} else {
			last[n.Table] = n
		}
	}
	var out []*plan.Node
	for _, n := range p.Nodes {
		if last[n.Table] == n && !inputs[n.Table] {
			out = append(out, n)
		}
	}
	return out
}

func (r *Run) tableInfo(n *plan.Node) TableInfo {
	est := r.estimateOf(n)
	t := TableInfo{Name: n.Table, Rows: est.Rows, Exact: est.Exact, Bytes: est.Bytes(), Ordered: n.Ordered || n.Index != nil}
	for _, k := range n.Index {
		s := n.Schema.Fields[k.Column].Name
		if k.Desc {
			s += " desc"
		}
		t.Index = append(t.Index, s)
	}
	for _, f := range n.Schema.Fields {
		t.Columns = append(t.Columns, ColumnInfo{Name: f.Name, Type: f.Type.String(), Nullable: f.Nullable})
	}
	return t
}

func (e *Explanation) addJoin(r *Run, n *plan.Node) {
	op, ok := n.Op.(*plan.Join)
	if !ok {
		return
	}
	p, whole := r.nodes[n], wholeJoin(n)
	est := r.estimateOf(whole)
	j := JoinInfo{
		Table: n.Table, On: names(n.Inputs[0].Schema, op.LeftKeys), Step: joinStep(op, n.Inputs[0].Schema, op.LeftKeys), Strategy: p.strategy, Why: p.why,
		Rows: est.Rows, Exact: est.Exact, Count: r.counts[whole],
	}
	if whole != n {
		j.Instead, j.Groups = r.insteadText(n), &p.est.Rows
	}
	e.Joins = append(e.Joins, j)
}

// Text writes the explanation for people.
func (e *Explanation) Text(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	size := func(n int64) string { return humanize.Bytes(uint64(n)) }
	fmt.Fprintf(w, "job\t%s\n", e.Job)
	if e.Memory.Workers == 0 { // below the floor nothing is divided
		fmt.Fprintf(w, "memory\t%s bound; the floor is %s\n", size(e.Memory.Bound), floorText(e.Memory.Floor))
	} else {
		fmt.Fprintf(w, "memory\t%s bound, of which %s for data; the floor is %s\n", size(e.Memory.Bound), size(max(0, e.Memory.Pool)), floorText(e.Memory.Floor))
		fmt.Fprintf(w, "workers\t%d, batches of %s rows\n", e.Memory.Workers, humanize.Comma(int64(e.Memory.BatchRows)))
		fmt.Fprintf(w, "spill\t%s expected\n", size(e.Spill))
	}
	for _, t := range e.Tables {
		fmt.Fprintf(w, "table %s\t%s, %s%s\n", t.Name, rowsText(t.Rows, t.Exact), size(t.Bytes), orderText(t))
		for _, c := range t.Columns {
			null := ""
			if c.Nullable {
				null = ", null"
			}
			fmt.Fprintf(w, "\t  %s %s%s\n", c.Name, c.Type, null)
		}
	}
	for i, s := range e.Stages {
		spill := ""
		if s.Spill > 0 {
			spill = ", spills " + size(s.Spill)
		}
		fmt.Fprintf(w, "stage %d\t%s\n\t  %s in, %s out, %s%s; memory %s of at least %s\n", i+1, s.Name,
			rowsText(s.RowsIn, !s.guessed), rowsText(s.RowsOut, s.Exact), size(s.BytesOut), spill, size(max(0, s.Share)), size(s.Floor))
		for _, step := range slices.Compact(slices.Clone(s.Steps)) {
			fmt.Fprintf(w, "\t  %s\n", step)
		}
	}
	for _, j := range e.Joins {
		fmt.Fprintf(w, "%s\t%s in table %s: %s\n", j.Step, j.Strategy, j.Table, rowsText(j.Rows, j.Exact))
		if j.Instead != "" {
			fmt.Fprintf(w, "\t  %s\n", j.Instead)
		}
		j.heavyText(w)
	}
	for _, o := range e.Outputs {
		fmt.Fprintf(w, "output %s\t%s: %s, about %s before compression\n", o.Label, o.shown, rowsText(o.Rows, o.Exact), size(o.Bytes))
	}
	for _, t := range e.Warnings {
		fmt.Fprintf(w, "warning\t%s\n", t)
	}
	if e.Refused != "" {
		fmt.Fprintf(w, "refused\t%s\n", e.Refused)
	}
	return w.Flush()
}

func (j JoinInfo) heavyText(w io.Writer) {
	if j.Count == nil {
		return
	}
	fmt.Fprintf(w, "\t  %s left keys, %s of them matched\n", humanize.Comma(j.Count.LeftKeys), humanize.Comma(j.Count.MatchedKeys))
	for _, h := range j.Count.Heaviest {
		fmt.Fprintf(w, "\t  key %s: %s x %s = %s rows\n", h.Key, humanize.Comma(h.Left), humanize.Comma(h.Right), humanize.Comma(h.Rows))
	}
}

func rowsText(n int64, exact bool) string {
	if exact {
		return humanize.Comma(n) + " rows"
	}
	return "about " + humanize.Comma(n) + " rows"
}

func orderText(t TableInfo) string {
	switch {
	case len(t.Index) > 0:
		return ", indexed by " + strings.Join(t.Index, ", ")
	case t.Ordered:
		return ", in the order of its input"
	}
	return ", in no defined order"
}
