package expr

import (
	"strings"
	"testing"

	"pqjoin/batch"
)

func TestConstantsThatAreComputedOnceCannotFail(t *testing.T) {
	schema := batch.NewSchema(batch.Field{Name: "d", Type: batch.Of(batch.Date)}, batch.Field{Name: "s", Type: batch.Of(batch.String)})
	for text, fails := range map[string]bool{
		"d >= cast('1994-01-01' as date)": false,
		"d >= cast('1994-13-01' as date)": true,
		"d >= cast(s as date)":            true,
		"1 // 0 > 2":                      true,
		"8 // 4 > 1":                      false,
	} {
		tree, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		b, err := Bind(tree, schema)
		if err != nil {
			if fails { // it is told when it is bound
				continue
			}
			t.Fatal(err)
		}
		if got := b.CanFail(); got != fails {
			t.Errorf("%s: can fail %v, want %v", text, got, fails)
		}
	}
}

// Constants in constants are computed once each, however deep.
func TestNestedConstantsAreCompiledOnce(t *testing.T) {
	const depth = 60
	text := strings.Repeat("(coalesce(0 + 0, ", depth) + "1" + strings.Repeat(") + 1)", depth)
	tree, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Bind(tree, batch.NewSchema())
	if err != nil {
		t.Fatal(err)
	}
	if b.CanFail() {
		t.Error("it can fail")
	}
	if p := Compile([]*Bound{b}); len(p.steps) != 1 {
		t.Errorf("%d steps", len(p.steps))
	}
}
