package plan

import (
	"testing"

	"pqjoin/expr"
)

// What is never null must not be computed below a left join: there it would be null for rows without a match.
func TestStrictKnowsWhatIsNullWhereItsColumnsAre(t *testing.T) {
	column := &expr.Node{Op: expr.OpColumn}
	binary := func(name string) *expr.Node {
		return &expr.Node{Op: expr.OpBinary, Name: name, Args: []*expr.Node{column, column}}
	}
	for name, want := range map[string]bool{"+": true, "=": true, "||": true, "and": true, "is distinct from": false, "is not distinct from": false, "of a later version": false} {
		if got := strict(binary(name)); got != want {
			t.Errorf("%s: strict is %v, want %v", name, got, want)
		}
	}
}
