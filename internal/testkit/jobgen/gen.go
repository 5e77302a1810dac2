package jobgen

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"pqjoin/batch"
	"pqjoin/plan"
	"pqjoin/tableio/parquet"
)

// gen is a case being made.
type gen struct {
	r    *rand.Rand
	c    *Case
	keys []batch.Field // columns that several tables have
	doms map[string]*domain
	size int // most rows of an input
	// Refused counts verbs that plan did not accept, with the last reason.
	refused map[string]string
}

// New returns the case of a seed, and what plan refused of it on the way: verb text and reason.
func New(seed uint64) (*Case, map[string]string) {
	g := &gen{r: rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15)), c: &Case{Seed: seed}, doms: map[string]*domain{}, refused: map[string]string{}}
	g.size = []int{0, 3, 40, 40, 40, 300, 300, 3000}[g.r.IntN(8)]
	for i := range 1 + g.r.IntN(3) {
		f := batch.Field{Name: fmt.Sprintf("k%d", i), Type: keyTypes[g.r.IntN(len(keyTypes))]}
		g.keys = append(g.keys, f)
		d := newDomain(g.r, f.Type, 1+g.r.IntN(max(2, g.size)))
		g.doms[f.Name] = d
	}
	for i := range 1 + g.r.IntN(3) {
		g.input(i)
	}
	for i := range 1 + g.r.IntN(3) {
		g.pipeline(i)
	}
	g.outputs()
	return g.c, g.refused
}

func (g *gen) input(i int) {
	in := &Input{Name: fmt.Sprintf("t%d", i), Schema: &batch.Schema{}, Files: 1 + g.r.IntN(3)*g.r.IntN(3), Compression: g.pick("snappy", "none", "zstd", "lz4", "gzip")}
	in.RowGroupRows = []int{0, 0, 1 + g.r.IntN(20), 1 + g.r.IntN(500)}[g.r.IntN(4)]
	if g.size > 1000 {
		in.RowGroupRows = max(in.RowGroupRows, 100)
	}
	in.Shape = []parquet.Shape{parquet.ShapeOwn, parquet.ShapePyarrow}[g.r.IntN(2)]
	var doms []*domain
	add := func(name string, d domain) {
		nullable := g.r.IntN(2) == 0
		if nullable {
			d.nulls = []float64{0, 0.1, 0.4, 1}[g.r.IntN(100)*4/130]
		}
		in.Schema.Fields = append(in.Schema.Fields, batch.Field{Name: name, Type: d.typ, Nullable: nullable})
		doms = append(doms, &d)
	}
	for _, k := range g.keys {
		if g.r.IntN(6) == 0 {
			continue
		}
		d := *g.doms[k.Name]
		d.heavy = []float64{0, 0, 0, 0.5, 0.9, 1}[g.r.IntN(6)]
		add(k.Name, d)
	}
	for j := range g.r.IntN(6) {
		t := dataTypes[g.r.IntN(len(dataTypes))]
		name := fmt.Sprintf("v%d", j)
		if g.r.IntN(3) == 0 {
			name = fmt.Sprintf("%s_%d", in.Name, j)
		}
		if g.r.IntN(15) == 0 {
			name = fmt.Sprintf("V %d", j)
		}
		n := []int{0, 0, 1 + g.r.IntN(8), 30}[g.r.IntN(4)]
		add(name, *newDomain(g.r, t, n))
	}
	if len(in.Schema.Fields) == 0 {
		add("k9", *newDomain(g.r, batch.Of(batch.Int64), 20))
	}
	n := 0
	if g.size > 0 && g.r.IntN(20) > 0 {
		n = g.r.IntN(g.size + 1)
	}
	for range n {
		row := make([]any, len(doms))
		for c, d := range doms {
			row[c] = d.draw(g.r)
		}
		in.Rows = append(in.Rows, row)
	}
	g.payload(in)
	g.asText(in)
	g.asHive(in)
	g.inputOptions(in)
	g.c.Inputs = append(g.c.Inputs, in)
}

func (g *gen) inputOptions(in *Input) {
	if g.r.IntN(8) == 0 {
		in.Options += ", nan_as_null: true"
	}
	if g.r.IntN(6) == 0 {
		in.Options += ", where: " + quote(g.cond(in.Schema))
	}
	if g.r.IntN(10) == 0 && len(in.Schema.Fields) > 1 {
		var names []string
		for _, i := range g.r.Perm(len(in.Schema.Fields))[:1+g.r.IntN(len(in.Schema.Fields))] {
			names = append(names, in.Schema.Fields[i].Name)
		}
		in.Options += ", columns: " + list(names)
	}
}

// quote writes a YAML string.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func list(names []string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = quote(n)
	}
	return "[" + strings.Join(q, ", ") + "]"
}

// tables are the names that a pipeline may read.
func (g *gen) tables() []string {
	var names []string
	for _, in := range g.c.Inputs {
		names = append(names, in.Name)
	}
	for _, p := range g.c.Pipelines {
		names = append(names, p.Name)
	}
	return names
}

// schemaOf resolves a table as it stands; the error is plan's.
func (g *gen) schemaOf(table string) (*plan.Node, error) {
	c := *g.c
	c.Outputs = []*Output{{Label: "probe", Table: table, Path: "out/probe/"}}
	p, err := c.Resolve("/case")
	if err != nil {
		return nil, err
	}
	return p.Outputs[0].Node, nil
}

func (g *gen) pipeline(i int) {
	from := g.tables()
	p := &Pipeline{Name: fmt.Sprintf("r%d", i), From: from[g.r.IntN(len(from))]}
	if i > 0 && g.r.IntN(2) == 0 {
		p.From = fmt.Sprintf("r%d", i-1)
	}
	g.c.Pipelines = append(g.c.Pipelines, p)
	node, err := g.schemaOf(p.Name)
	if err != nil {
		g.refused["from "+p.From] = err.Error()
		g.c.Pipelines = g.c.Pipelines[:i]
		return
	}
	for range 1 + g.r.IntN(5) {
		if len(node.Schema.Fields) == 0 || len(node.Schema.Fields) > 40 {
			return
		}
		v := ""
		if n := len(p.Verbs); n > 0 && strings.HasPrefix(p.Verbs[n-1], "join:") && g.r.IntN(2) == 0 {
			v = g.groupJoined(node.Schema)
		} else {
			v = g.verb(node.Schema, p.Name)
		}
		if v == "" {
			continue
		}
		p.Verbs = append(p.Verbs, v)
		next, err := g.schemaOf(p.Name)
		if err != nil {
			g.refused[v] = err.Error()
			p.Verbs = p.Verbs[:len(p.Verbs)-1]
			continue
		}
		node = next
	}
}

func (g *gen) outputs() {
	tables := g.tables()
	n := 1 + g.r.IntN(3)*g.r.IntN(2)
	for i := range n {
		o := &Output{Label: fmt.Sprintf("o%d", i), Table: tables[len(tables)-1]}
		if i > 0 {
			o.Table = tables[g.r.IntN(len(tables))]
		}
		o.Path = fmt.Sprintf("out/o%d/", i)
		if g.r.IntN(3) == 0 {
			o.Path = fmt.Sprintf("out/o%d.parquet", i)
		} else if g.r.IntN(3) == 0 {
			o.Options += g.pick(", files: {rows: 10}", ", files: {count: 3}", ", files: {size: 1KB}", ", files: {rows: 1000}", ", files: {size: 20KB}")
		}
		if g.r.IntN(2) == 0 {
			o.Options += fmt.Sprintf(", row_group_rows: %d", 1+g.r.IntN(max(20, g.size)))
		}
		if g.r.IntN(3) == 0 {
			o.Options += ", compression: " + g.pick("zstd", "none", "gzip", "lz4")
		}
		g.c.Outputs = append(g.c.Outputs, o)
		g.partitionBy(o)
	}
}

// Shrink returns smaller cases, larger cuts first; those that plan refuses are left out.
func (c *Case) Shrink() []*Case {
	var out []*Case
	try := func(change func(*Case)) {
		n := c.clone()
		change(n)
		if _, err := n.Resolve("/case"); err == nil {
			out = append(out, n)
		}
	}
	for i := range c.Outputs {
		if len(c.Outputs) > 1 {
			try(func(n *Case) { n.Outputs = slices.Delete(n.Outputs, i, i+1) })
		}
	}
	for i := range c.Pipelines {
		try(func(n *Case) { n.Pipelines = slices.Delete(n.Pipelines, i, i+1) })
		for j := range c.Pipelines[i].Verbs {
			try(func(n *Case) { p := n.Pipelines[i]; p.Verbs = slices.Delete(p.Verbs, j, j+1) })
		}
	}
	for i, in := range c.Inputs {
		try(func(n *Case) { n.Inputs = slices.Delete(n.Inputs, i, i+1) })
		for cut := len(in.Rows); cut > 0; cut /= 2 {
			for lo := 0; lo < len(in.Rows); lo += cut {
				if len(in.Rows) > 400 && cut < 30 {
					break
				}
				try(func(n *Case) { n.Inputs[i].Rows = slices.Delete(n.Inputs[i].Rows, lo, min(lo+cut, len(in.Rows))) })
			}
		}
		if len(in.Hive) > 0 {
			try(func(n *Case) { n.Inputs[i].Hive = nil })
		}
		if in.Files > 1 {
			try(func(n *Case) { n.Inputs[i].Files = 1 })
		}
		if in.Options != "" {
			try(func(n *Case) { n.Inputs[i].Options = "" })
		}
	}
	for i, o := range c.Outputs {
		if o.Options != "" {
			try(func(n *Case) { n.Outputs[i].Options = "" })
		}
	}
	for i, in := range c.Inputs {
		for j := range in.Schema.Fields {
			if len(in.Schema.Fields) > 1 {
				try(func(n *Case) { n.Inputs[i].dropColumn(j) })
			}
		}
	}
	return out
}

func (in *Input) dropColumn(j int) {
	if len(in.Hive) > 0 { // which are the last
		in.Hive = slices.DeleteFunc(slices.Clone(in.Hive), func(c int) bool { return c == j })
		for i, c := range in.Hive {
			if c > j {
				in.Hive[i]--
			}
		}
	}
	in.Schema = &batch.Schema{Fields: slices.Delete(slices.Clone(in.Schema.Fields), j, j+1)}
	for r, row := range in.Rows {
		in.Rows[r] = slices.Delete(slices.Clone(row), j, j+1)
	}
}

func (c *Case) clone() *Case {
	n := &Case{Seed: c.Seed}
	for _, in := range c.Inputs {
		i := *in
		i.Rows = slices.Clone(in.Rows)
		n.Inputs = append(n.Inputs, &i)
	}
	for _, p := range c.Pipelines {
		n.Pipelines = append(n.Pipelines, &Pipeline{Name: p.Name, From: p.From, Verbs: slices.Clone(p.Verbs)})
	}
	for _, o := range c.Outputs {
		o := *o
		n.Outputs = append(n.Outputs, &o)
	}
	return n
}
