package expr_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pqjoin/batch"
	"pqjoin/expr"
)

// FuzzExpression: no text panics, errors point into the text, and what evaluates has the announced type.
func FuzzExpression(f *testing.F) {
	for _, s := range []string{
		"a + 1", "ln(f) / 0", "case when a > 0 then 'x' else s end", "s like '%_%' and not a in (1, null)", "try_cast(s as decimal(38, 10))",
		"date_trunc('week', date '2024-01-01')", "-9223372036854775808 % -1", "a::int8::string || \"a\"", "substr(s, -9223372036854775807, 5)",
		"strptime(s, '%Y-%m-%d')", "round(1e308, 300)", "between", "((((", "'", "1e999", "a between 1 and 2 is null", "left(s, -9223372036854775807 - 1)",
		"99999999999999999999999999999999999999 * 10", "cast(f as decimal(38, 38))", "round(a, -300)", "strftime(date '2024-01-01' + 2147483647 , '%j%z')",
		"date '2024-01-01' + interval '1 year -3 days'", "interval (a) month + timestamp '1969-12-31 23:59:59'", "date_add('decade', a, date '2024-01-01')", "interval '9223372036854775807 millennia' + date '0001-01-01'",
		"extract(yearweek from date '0000-01-01')", "date_diff('microsecond', date '2024-01-01', make_timestamp(a))", "time_bucket(interval '7 weeks', make_timestamp(a))", "date_sub('month', make_timestamp(a), date '1970-01-01')",
		"make_timestamp(a) at time zone 'Europe/Berlin' at time zone 'Asia/Tokyo'", "to_timestamp(f) at time zone 'America/New_York'", "make_date(a, a, a)", "make_time(1, 2, f)",
		"s ilike '%$_' escape '$' is not true", "a is distinct from f is unknown", "~a & a | a << 3 >> 1 // a", "2 ** -a ^ f", "position('a' in s) + strpos(s, 'b')", "factorial(a) * gcd(a, 7) - lcm(a, 3)",
		"concat_ws(s, a, null, f)", "lpad(s, a, s) || repeat(s, a)", "split_part(s, '', a)", "translate(s, s, 'ß')", "regexp_replace(s, '(a|b*)+', '\\1\\\\', 'gi')", "regexp_extract(s, '(?P<x>.)', 1)",
		"try(a // (a - 1)) + try(cast(s as int64))", "trim(both s from s)", "trim(leading from s)", "substring(s from a for a)", "date '2024-01-01' + time '23:59:59'", "trim(both)",
		"unhex(hex(s)) = encode(s)", "url_decode(url_encode(s))", "from_base64(s)", "decode(unhex(s))", "chr(a)", "hash(a, f, s) % 10", "levenshtein(s, s) + hamming(s, s)", "typeof(interval '1 day')", "trunc(f, -300) + trunc(a, -40)", "strftime(make_timestamp(a), '%-d%G%V%U%W%g%n')",
	} {
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
