package plan_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pqjoin/internal/testkit/jobgen"
	"pqjoin/internal/testkit/ref"
	"pqjoin/plan"
)

// lastSeed is the last case of the test; thousands were run once.
const lastSeed = 300

// TestRewritingKeepsEveryResult computes random jobs row by row, as resolved and as
// rewritten, and compares their tables.
func TestRewritingKeepsEveryResult(t *testing.T) {
	compared := 0
	for seed := uint64(1); seed <= lastSeed; seed++ {
		c, _ := jobgen.New(seed)
		before, beforeErr := compute(t, c, false)
		ordered := orderedOutputs(t, c)
		if beforeErr != nil && (errors.Is(beforeErr, ref.ErrOpen) || errors.Is(beforeErr, ref.ErrTooBig) || errors.Is(beforeErr, ref.ErrRow)) {
			continue
		}
		after, afterErr := compute(t, c, true)
		if errors.Is(afterErr, ref.ErrTooBig) || errors.Is(afterErr, ref.ErrOpen) { // the reference gives up sooner on one of two equal plans
			continue
		}
		if (beforeErr == nil) != (afterErr == nil) {
			t.Errorf("seed %d: %v before rewriting, %v after\n%s", seed, beforeErr, afterErr, c.YAML())
			continue
		}
		for label, want := range before {
			if diff := tableDiff(want, after[label], ordered[label]); diff != "" {
				t.Errorf("seed %d, output %s: %s\n%s", seed, label, diff, c.YAML())
			}
			compared++
		}
	}
	if compared < 100 {
		t.Fatalf("only %d tables compared", compared)
	}
}

func compute(t *testing.T, c *jobgen.Case, rewrite bool) (map[string]*ref.Table, error) {
	p, err := c.Resolve("/job")
	if err != nil {
		t.Fatalf("seed %d: %v", c.Seed, err)
	}
	if rewrite {
		if p, err = plan.Rewrite(p); err != nil {
			t.Fatalf("seed %d: %v", c.Seed, err)
		}
		checkPlan(t, c, p)
	}
	in := &ref.Interpreter{MaxRows: 20_000, Input: func(name string) *ref.Table {
		i := slices.IndexFunc(c.Inputs, func(i *jobgen.Input) bool { return i.Name == name })
		return ref.New(c.Inputs[i].Schema, c.Inputs[i].Rows)
	}}
	return in.Run(p)
}

// orderedOutputs says which outputs have a defined order, by label.
func orderedOutputs(t *testing.T, c *jobgen.Case) map[string]bool {
	p, err := c.Resolve("/job")
	if err != nil {
		t.Fatalf("seed %d: %v", c.Seed, err)
	}
	ordered := map[string]bool{}
	for _, out := range p.Outputs {
		ordered[out.Label] = out.Node.Ordered
	}
	return ordered
}

// checkPlan checks what every plan keeps to: inputs before readers, one type and name a column.
func checkPlan(t *testing.T, c *jobgen.Case, p *plan.Plan) {
	for i, n := range p.Nodes {
		if n.ID != i {
			t.Fatalf("seed %d: node %d has the number %d", c.Seed, i, n.ID)
		}
		for _, in := range n.Inputs {
			if in.ID >= i || p.Nodes[in.ID] != in {
				t.Fatalf("seed %d: node %d reads a node that is not before it", c.Seed, i)
			}
		}
		if op, ok := n.Op.(*plan.Project); ok {
			for j, e := range op.Exprs {
				if e.Type != n.Schema.Fields[j].Type {
					t.Fatalf("seed %d: column %q of node %d is %s in the schema and %s by its expression", c.Seed, n.Schema.Fields[j].Name, i, n.Schema.Fields[j].Type, e.Type)
				}
			}
		}
	}
}

// tableDiff compares tables: row by row where both orders are defined, else as sets of rows.
func tableDiff(want, got *ref.Table, ordered bool) string {
	if diff := cmp.Diff(want.Schema, got.Schema); diff != "" {
		return diff
	}
	w, g := rowTexts(want), rowTexts(got)
	if !ordered || !total(want) || !total(got) {
		slices.Sort(w)
		slices.Sort(g)
	}
	return cmp.Diff(w, g)
}

func total(t *ref.Table) bool {
	for i := 1; i < len(t.Rank); i++ {
		if t.Rank[i] == t.Rank[i-1] {
			return false
		}
	}
	return true
}

func rowTexts(t *ref.Table) []string {
	out := make([]string, len(t.Rows))
	for i, row := range t.Rows {
		for j, v := range row {
			if j < len(t.Loose) && t.Loose[j] {
				v = "about the same"
			}
			out[i] += fmt.Sprintf("%#v ", v)
		}
	}
	return out
}
