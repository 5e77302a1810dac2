package engine

import (
	"strings"
	"testing"
)

func TestGraphTextIsQuoted(t *testing.T) {
	e := &Explanation{Graph: []GraphNode{
		{ID: 0, Kind: "input", Lines: []string{`input "a\b"`, "x < 1 & y > `2`"}, Rows: 3, Exact: true, Bytes: 24},
		{ID: 1, Kind: "output", Inputs: []int{0}, Lines: []string{"output r"}},
	}}
	var dot, mermaid strings.Builder
	if err := e.Dot(&dot); err != nil {
		t.Fatal(err)
	}
	if err := e.Mermaid(&mermaid); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`label="input \"a\\b\"\nx < 1 & y > ` + "`2`" + `"`, `n0 -> n1 [label="3 rows, 24 B"]`, "shape=folder"} {
		if !strings.Contains(dot.String(), want) {
			t.Errorf("dot has no %s:\n%s", want, dot.String())
		}
	}
	for _, want := range []string{`n0[("input #quot;a\b#quot;<br/>x #lt; 1 #amp; y #gt; #96;2#96;")]`, `n0 -- "3 rows, 24 B" --> n1`, `n1[/"output r"/]`} {
		if !strings.Contains(mermaid.String(), want) {
			t.Errorf("mermaid has no %s:\n%s", want, mermaid.String())
		}
	}
}
