package engine

import (
	"fmt"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/monitor"
	"pqjoin/plan"
)

// stagesAreForPeople says whether a stage shows a name that the planner or the engine made for itself. No column of a random job begins so.
func stagesAreForPeople(stages []monitor.StageSnapshot) error {
	for _, s := range stages {
		if strings.ContainsAny(s.Name, "~\x00") || strings.HasSuffix(s.Name, " ") || strings.Contains(s.Name, " by ->") {
			return fmt.Errorf("a stage is named %q", s.Name)
		}
	}
	return nil
}

func TestStepsAreNamedForPeople(t *testing.T) {
	s := &batch.Schema{}
	for _, n := range []string{"a", "~row", "~~all", "~constant", "~arg:x + 1", "\x00row"} {
		s.Fields = append(s.Fields, batch.Field{Name: n})
	}
	join, asof := &plan.Join{}, &plan.Join{Kind: plan.AsofJoin}
	for want, got := range map[string]string{
		"a, row number":               names(s, []int{0, 1}),
		"row number":                  names(s, []int{5}),
		"group by x + 1":              groupStep(s, []int{4}),
		"aggregate all rows":          groupStep(s, nil),
		"t by a":                      groupedName("t", s, []int{0}),
		"t in all":                    groupedName("t", s, nil),
		"join on a":                   joinStep(join, s, []int{0}),
		"cross join":                  joinStep(join, s, []int{3}),
		"join with totals":            joinStep(join, s, []int{2}),
		"as-of join on a, row number": joinStep(asof, s, []int{0, 5}),
		"as-of join":                  joinStep(asof, s, nil),
		"lag":                         within("lag", s, nil),
	} {
		if got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

// A table may have thousands of columns: a name of a stage is a line all the same.
func TestNamesOfManyColumnsAreCutShort(t *testing.T) {
	schema, idx := &batch.Schema{}, []int{}
	for i := range 2000 {
		schema.Fields = append(schema.Fields, batch.Field{Name: fmt.Sprintf("c%d", i), Type: batch.Of(batch.Int64)})
		idx = append(idx, i)
	}
	if got, want := names(schema, idx), "c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, and 1,988 more"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := names(schema, idx[:13]); !strings.HasSuffix(got, "c11, c12") {
		t.Errorf("%q", got)
	}
}
