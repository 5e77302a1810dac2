package expr_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pqjoin/batch"
	"pqjoin/expr"
	"pqjoin/internal/testkit/refexpr"
)

// FuzzExpression: no text panics, errors point into the text, and what evaluates has the announced type.
func FuzzExpression(f *testing.F) {
	for _, s := range refexpr.Forms() {
		f.Add(s)
	}
	schema := batch.NewSchema(
		batch.Field{Name: "a", Type: batch.Of(batch.Int64), Nullable: true},
		batch.Field{Name: "f", Type: batch.Of(batch.Float64)},
		batch.Field{Name: "s", Type: batch.Of(batch.String)},
	)
	in := fuzzBatch(f, schema)
	f.Fuzz(func(t *testing.T, text string) {
		tree, err := expr.Parse(text)
		var b *expr.Bound
		if err == nil {
			b, err = expr.Bind(tree, schema)
		}
		if err != nil {
			checkError(t, text, err)
			return
		}
		if _, err := expr.Parse(b.String()); err != nil {
			t.Fatalf("%q became %q: %v", text, b, err)
		}
		out, err := expr.Compile([]*expr.Bound{b}).Eval(nil, in)
		if err != nil {
			if !errors.As(err, new(*expr.RowError)) {
				t.Fatal(err)
			}
			return
		}
		if out[0].Type != b.Type || out[0].N != in.N {
			t.Fatalf("%q: %s of %d rows, want %s of %d", text, out[0].Type, out[0].N, b.Type, in.N)
		}
	})
}

func checkError(t *testing.T, text string, err error) {
	var e *expr.Error
	if !errors.As(err, &e) || e.Offset < 0 || e.Offset > len(text) || e.Msg == "" {
		t.Fatalf("%q: %#v", text, err)
	}
}

func fuzzBatch(f *testing.F, schema *batch.Schema) *batch.Batch {
	a, err1 := batch.NewFixed(nil, schema.Fields[0].Type, 3)
	fl, err2 := batch.NewFixed(nil, schema.Fields[1].Type, 3)
	s, err3 := batch.NewVar(nil, schema.Fields[2].Type, 3, 5)
	if err := errors.Join(err1, err2, err3, a.NewValid(nil)); err != nil {
		f.Fatal(err)
	}
	copy(a.Int64s(), []int64{1, -1 << 63, 7})
	a.Valid[0] = 0b011
	copy(fl.Float64s(), []float64{0, -2.5, 1e300})
	copy(s.Data, "a12ß")
	copy(s.Off, []uint32{0, 1, 3, 5})
	return &batch.Batch{Schema: schema, Cols: []*batch.Column{a.SetNulls(), fl, s}, N: 3}
}

func TestHostileTextsFailQuicklyAndClearly(t *testing.T) {
	long := 60000
	texts := map[string]string{
		"parentheses": strings.Repeat("(", long),
		"minus":       strings.Repeat("- ", long/2) + "1",
		"not":         strings.Repeat("not ", long/4) + "true",
		"case":        strings.Repeat("case when ", long/10),
		"calls":       strings.Repeat("abs(", long/4),
		"plus":        strings.Repeat("1+", long/2) + "1",
		"quotes":      strings.Repeat("'", long+1),
		"between":     strings.Repeat("1 between ", long/10),
		"casts":       "1" + strings.Repeat("::int", long/5),
		"too long":    strings.Repeat(" ", 1<<17),
		"not UTF-8":   "1 + \xff",
		"empty":       " ",
	}
	for name, text := range texts {
		start := time.Now()
		_, err := expr.Parse(text)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		var e *expr.Error
		if !errors.As(err, &e) || e.Offset > len(text) || len(e.Error()) > 300 {
			t.Errorf("%s: %v", name, err)
		}
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("%s: took %s", name, d)
		}
	}
}

func TestNestedSharedPartsStayLinear(t *testing.T) {
	text := "i64"
	for range 100 {
		text = "case " + text + " when 1 then 2 else 3 end"
	}
	b, err := bindText(text)
	if err != nil {
		t.Fatal(err)
	}
	sum, err := bindText("i64 % 7 + i64 % 7")
	if err != nil {
		t.Fatal(err)
	}
	for range 30 { // 2^30 copies of the column, were they not shared
		exprs := make([]*expr.Bound, len(testSchema.Fields))
		for i := range exprs {
			exprs[i] = expr.ColumnRef(testSchema, i)
		}
		exprs[2] = sum
		again, err := bindText("i64 % 7 + i64 % 7")
		if err != nil {
			t.Fatal(err)
		}
		sum = again.Substitute(exprs)
	}
	start := time.Now()
	expr.Compile([]*expr.Bound{b, sum})
	if cols := sum.Columns(); len(cols) != 1 || cols[0] != 2 {
		t.Errorf("columns %v", cols)
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("compiling took %s", d)
	}
}
