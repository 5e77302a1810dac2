package engine

import (
	"fmt"
	"io"
	"strings"

	"github.com/dustin/go-humanize"

	"pqjoin/plan"
)

// GraphNode is one operator of the plan, or an output, and what it reads.
type GraphNode struct {
	ID     int      `json:"id"`
	Inputs []int    `json:"inputs,omitempty"`
	Kind   string   `json:"kind"` // input, operator, output
	Lines  []string `json:"lines"`
	Rows   int64    `json:"rows"`
	Exact  bool     `json:"exact"`
	Bytes  int64    `json:"bytes"`
}

// graph draws the plan as run will follow it: every operator once, inputs before their readers.
func (r *Run) graph() []GraphNode {
	var out []GraphNode
	at := map[*plan.Node]int{}
	for _, n := range r.plan.Nodes {
		p := r.nodes[n]
		at[n] = len(out)
		g := GraphNode{ID: len(out), Kind: "operator", Lines: nodeLines(p), Rows: p.est.Rows, Exact: p.est.Exact, Bytes: p.est.Bytes()}
		if _, ok := n.Op.(*plan.Scan); ok {
			g.Kind = "input"
		}
		for _, in := range n.Inputs {
			g.Inputs = append(g.Inputs, at[in])
		}
		out = append(out, g)
	}
	for _, o := range r.plan.Outputs {
		est := r.nodes[o.Node].est
		out = append(out, GraphNode{
			ID: len(out), Inputs: []int{at[o.Node]}, Kind: "output", Lines: []string{"output " + o.Label, o.Show},
			Rows: est.Rows, Exact: est.Exact, Bytes: est.Bytes(),
		})
	}
	return out
}

// nodeLines says what an operator does, how, and in which order its rows come.
func nodeLines(p *phys) []string {
	n := p.node
	title := n.Verb
	var more []string
	switch op := n.Op.(type) {
	case *plan.Scan:
		title = "input " + op.Input.Name
		if op.Where != nil {
			more = append(more, "where "+op.Where.String())
		}
	case *plan.Project:
		title = "columns"
		more = append(more, computed(n, op)...)
	case *plan.Filter:
		title = "where " + op.Cond.String()
	case *plan.Index:
		title = "index " + keyNames(n, op.Keys)
	case *plan.Lag:
		title = within("lag", n.Inputs[0].Schema, op.By)
	case *plan.Window:
		title = within("window", n.Inputs[0].Schema, op.By)
	case *plan.Join:
		title = joinStep(op, n.Inputs[0].Schema, op.LeftKeys)
	case *plan.GroupBy:
		title = groupStep(n.Inputs[0].Schema, op.Keys)
	}
	lines := append([]string{title}, more...)
	if p.strategy != rowByRow && p.strategy != scanFiles {
		lines = append(lines, string(p.strategy))
	}
	if n.Table != "" {
		lines = append(lines, "table "+n.Table)
	}
	return lines
}

// computed lists the columns that are more than other columns under their own or another name, the first few of them.
func computed(n *plan.Node, op *plan.Project) []string {
	const most = 6
	var out []string
	for i, e := range op.Exprs {
		if _, bare := e.Column(); bare {
			continue
		}
		if len(out) == most {
			return append(out, "...")
		}
		text := e.String()
		if strings.Contains(text, `"~`) { // of hidden columns
			text = "..."
		}
		out = append(out, shownName(n.Schema.Fields[i].Name)+" = "+text)
	}
	return out
}

func keyNames(n *plan.Node, keys []plan.SortKey) string {
	var out []string
	for _, k := range keys {
		s := shownName(n.Schema.Fields[k.Column].Name)
		if k.Desc {
			s += " desc"
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

func (g *GraphNode) size() string {
	return rowsText(g.Rows, g.Exact) + ", " + humanize.Bytes(uint64(max(0, g.Bytes)))
}

// Dot writes the plan as a graph in Graphviz' language.
func (e *Explanation) Dot(w io.Writer) error {
	var b strings.Builder
	b.WriteString("digraph pqjoin {\n  rankdir=TB\n  node [shape=box, fontname=\"Helvetica\"]\n")
	shapes := map[string]string{"input": ", shape=cylinder", "output": ", shape=folder", "operator": ""}
	for _, g := range e.Graph {
		fmt.Fprintf(&b, "  n%d [label=%s%s]\n", g.ID, dotText(g.Lines), shapes[g.Kind])
	}
	for _, g := range e.Graph {
		for _, in := range g.Inputs {
			fmt.Fprintf(&b, "  n%d -> n%d [label=%s]\n", in, g.ID, dotText([]string{e.Graph[in].size()}))
		}
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// dotText quotes lines as one label.
func dotText(lines []string) string {
	clean := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", " ")
	quoted := make([]string, len(lines))
	for i, l := range lines {
		quoted[i] = clean.Replace(l)
	}
	return `"` + strings.Join(quoted, `\n`) + `"`
}

// Mermaid writes the plan as a Mermaid flowchart.
func (e *Explanation) Mermaid(w io.Writer) error {
	var b strings.Builder
	b.WriteString("flowchart TB\n")
	open := map[string][2]string{"input": {"[(", ")]"}, "output": {"[/", "/]"}, "operator": {"[", "]"}}
	for _, g := range e.Graph {
		fmt.Fprintf(&b, "  n%d%s%s%s\n", g.ID, open[g.Kind][0], mermaidText(g.Lines), open[g.Kind][1])
	}
	for _, g := range e.Graph {
		for _, in := range g.Inputs {
			fmt.Fprintf(&b, "  n%d -- %s --> n%d\n", in, mermaidText([]string{e.Graph[in].size()}), g.ID)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// mermaidText quotes lines; what Mermaid or a browser would read as markup becomes entities.
func mermaidText(lines []string) string {
	clean := strings.NewReplacer("#", "#35;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "&", "#amp;", "`", "#96;", "\n", " ")
	quoted := make([]string, len(lines))
	for i, l := range lines {
		quoted[i] = clean.Replace(l)
	}
	return `"` + strings.Join(quoted, "<br/>") + `"`
}
