package expr_test

import (
	"encoding/csv"
	"os"
	"testing"

	"pqjoin/batch"
	"pqjoin/expr"
)

// deviations are the cases in which DuckDB's answer is not ours: a NaN has no sign for us.
var deviations = map[string]string{
	"0 / 0":           "nan",
	"5.5 % 0::double": "nan",
	"sqrt(-1)":        "nan",
}

// one evaluates a constant expression as text; ERROR where it is refused or fails.
func one(text string) string {
	tree, err := expr.Parse(text)
	if err != nil {
		return "ERROR"
	}
	b, err := expr.Bind(tree, batch.NewSchema())
	if err != nil {
		return "ERROR"
	}
	if b.Type.ID != batch.String {
		if tree, err = expr.Parse("cast((" + text + ") as string)"); err == nil {
			b, err = expr.Bind(tree, batch.NewSchema())
		}
	}
	if err != nil {
		return "ERROR"
	}
	out, err := expr.Compile([]*expr.Bound{b}).Eval(nil, &batch.Batch{Schema: batch.NewSchema(), N: 1})
	switch {
	case err != nil:
		return "ERROR"
	case out[0].IsNull(0):
		return "NULL"
	}
	return string(out[0].Value(0))
}

func TestConstantsHaveDuckDBsValues(t *testing.T) {
	f, err := os.Open("testdata/golden.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cases, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		want := c[1]
		if ours, ok := deviations[c[0]]; ok {
			want = ours
		}
		if got := one(c[0]); got != want {
			t.Errorf("%s = %s, want %s", c[0], got, want)
		}
	}
}
