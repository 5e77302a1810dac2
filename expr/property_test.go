package expr_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pqjoin/batch"
	"pqjoin/expr"
	"pqjoin/internal/testkit/refexpr"
	"pqjoin/mem"
)

// testSchema has a column of every type that expressions compute on; sd is dictionary-coded.
var testSchema = batch.NewSchema(
	batch.Field{Name: "i8", Type: batch.Of(batch.Int8), Nullable: true},
	batch.Field{Name: "i32", Type: batch.Of(batch.Int32), Nullable: true},
	batch.Field{Name: "i64", Type: batch.Of(batch.Int64), Nullable: true},
	batch.Field{Name: "u32", Type: batch.Of(batch.Uint32), Nullable: true},
	batch.Field{Name: "u64", Type: batch.Of(batch.Uint64), Nullable: true},
	batch.Field{Name: "f32", Type: batch.Of(batch.Float32), Nullable: true},
	batch.Field{Name: "f64", Type: batch.Of(batch.Float64), Nullable: true},
	batch.Field{Name: "d9", Type: batch.DecimalOf(9, 2), Nullable: true},
	batch.Field{Name: "d25", Type: batch.DecimalOf(25, 4), Nullable: true},
	batch.Field{Name: "s", Type: batch.Of(batch.String), Nullable: true},
	batch.Field{Name: "sd", Type: batch.Of(batch.String), Nullable: true},
	batch.Field{Name: "b", Type: batch.Of(batch.Bool), Nullable: true},
	batch.Field{Name: "dt", Type: batch.Of(batch.Date), Nullable: true},
	batch.Field{Name: "ts", Type: batch.TimestampOf(batch.Micro, false), Nullable: true},
	batch.Field{Name: "f16", Type: batch.Of(batch.Float16), Nullable: true},
	batch.Field{Name: "i16", Type: batch.Of(batch.Int16), Nullable: true},
	batch.Field{Name: "u8", Type: batch.Of(batch.Uint8), Nullable: true},
	batch.Field{Name: "tz", Type: batch.TimestampOf(batch.Micro, true), Nullable: true},
	batch.Field{Name: "tms", Type: batch.TimestampOf(batch.Milli, false), Nullable: true},
)

type gen struct {
	t     *rapid.T
	depth int
}

func (g *gen) of(options ...string) string { return rapid.SampledFrom(options).Draw(g.t, "choice") }

func (g *gen) int(lo, hi int) int { return rapid.IntRange(lo, hi).Draw(g.t, "n") }

func (g *gen) deeper() *gen { return &gen{g.t, g.depth - 1} }

func (g *gen) num() string {
	if g.depth <= 0 || g.int(0, 3) == 0 {
		return g.of("i8", "i32", "i64", "u32", "u64", "u8", "i16", "f16", "f32", "f64", "d9", "d25", "0", "1", "-3", "100", "2.5", "0.125", "1e3", "null", "3000000000")
	}
	d := g.deeper()
	switch g.int(0, 20) {
	case 20:
		return "try(" + d.num() + ")"
	case 13:
		return "(" + d.whole() + " " + g.of("//", "&", "|", ">>") + " " + d.whole() + ")"
	case 14:
		return d.wholeCall()
	case 15:
		return g.of("trunc(", "even(", "degrees(", "asinh(", "log(2, ") + d.num() + ")"
	case 16:
		return g.of("fmod", "fdiv", "pow") + "(" + d.num() + ", " + d.num() + ")"
	case 17:
		return g.of("strpos", "levenshtein") + "(" + d.str() + ", " + d.str() + ")"
	case 18:
		return g.of("strlen", "bit_length", "ascii", "unicode") + "(" + d.str() + ")"
	case 19:
		return d.timeNumber()
	case 0, 1, 2:
		return "(" + d.num() + " " + g.of("+", "-", "*", "/", "%") + " " + d.num() + ")"
	case 3:
		return "(-" + d.num() + ")"
	case 4:
		return g.of("abs", "sign", "floor", "ceil", "round", "ln", "sqrt", "exp", "log10") + "(" + d.num() + ")"
	case 5:
		return "round(" + d.num() + ", " + g.of("1", "-1", "3") + ")"
	case 6:
		return g.of("cast", "try_cast") + "(" + g.of(d.num(), d.num(), d.str(), d.boolean()) + " as " + g.numType() + ")"
	case 7:
		return g.caseOf(d.num)
	case 8:
		return g.of("coalesce", "greatest", "least") + "(" + d.num() + ", " + d.num() + ", " + d.num() + ")"
	case 9:
		return "nullif(" + d.num() + ", " + d.num() + ")"
	case 10:
		return "length(" + d.str() + ")"
	case 11:
		return g.of("year", "quarter", "month", "week", "day", "hour", "minute", "second", "dayofweek", "dayofyear", "epoch") + "(" + d.date() + ")"
	}
	return "if(" + d.boolean() + ", " + d.num() + ", " + d.num() + ")"
}

// whole returns an expression of a whole number.
func (g *gen) whole() string {
	if g.depth <= 0 || g.int(0, 1) == 0 {
		return g.of("i8", "i16", "i32", "i64", "u8", "u32", "1", "3", "-2", "null", "length(s)")
	}
	d := g.deeper()
	return g.of("(~"+d.whole()+")", "("+d.whole()+" & "+d.whole()+")", "xor("+d.whole()+", "+d.whole()+")", "sign("+d.num()+")", "("+d.whole()+" % 5)")
}

func (g *gen) wholeCall() string {
	d := g.deeper()
	switch g.int(0, 5) {
	case 0:
		return g.of("gcd", "lcm", "xor", "divide") + "(" + d.whole() + ", " + d.whole() + ")"
	case 1:
		return "bit_count(" + d.whole() + ")"
	case 2:
		return "factorial(" + d.whole() + ")"
	case 3:
		return "(" + d.whole() + " << " + g.of("0", "1", "7", "i8") + ")"
	case 4:
		return "(~" + d.whole() + ")"
	}
	return "trunc(" + d.num() + ", " + g.of("1", "-1", "2") + ")"
}

// timeNumber returns a number made of dates and times.
func (g *gen) timeNumber() string {
	d := g.deeper()
	switch g.int(0, 4) {
	case 0:
		return g.of("era", "millennium", "century", "decade", "isoyear", "yearweek", "isodow", "millisecond", "microsecond", "nanosecond") + "(" + d.date() + ")"
	case 1:
		return "extract(" + g.of("year", "dow", "doy", "century", "hour") + " from " + d.date() + ")"
	case 2:
		return "date_diff('" + g.of("year", "quarter", "month", "week", "day", "hour", "minute", "second") + "', " + d.date() + ", " + d.date() + ")"
	case 3:
		return "date_sub('" + g.of("year", "quarter", "month", "week", "day", "hour", "second", "microsecond") + "', " + d.date() + ", " + d.date() + ")"
	}
	return g.of("epoch_ms", "epoch_us") + "(" + d.date() + ")"
}

func (g *gen) numType() string {
	return g.of("int8", "int16", "int32", "int64", "uint8", "uint32", "uint64", "float16", "float32", "float64", "decimal(9, 2)", "decimal(25, 4)", "decimal(4, 0)")
}

func (g *gen) caseOf(result func() string) string {
	d := g.deeper()
	if g.int(0, 2) == 0 {
		return "case " + d.num() + " when " + d.num() + " then " + result() + " when " + d.num() + " then " + result() + " end"
	}
	return "case when " + d.boolean() + " then " + result() + " when " + d.boolean() + " then " + result() + " else " + result() + " end"
}

func (g *gen) str() string {
	if g.depth <= 0 || g.int(0, 3) == 0 {
		return g.of("s", "sd", "sd", "'a'", "''", "'12'", "'Äb'", "null")
	}
	d := g.deeper()
	switch g.int(0, 14) {
	case 7:
		return g.of("concat", "concat_ws") + "(" + d.str() + ", " + g.of(d.str(), d.num()) + ", " + d.str() + ")"
	case 8:
		return g.of("repeat(", "rpad(", "lpad(") + d.str() + ", " + g.of("0", "1", "2", "i8") + ")"
	case 9:
		return g.of("lpad(", "rpad(") + d.str() + ", " + g.of("-1", "2", "5", "i8") + ", " + g.of("'x'", "'xé'", d.str()) + ")"
	case 10:
		return "split_part(" + d.str() + ", " + g.of("'a'", "''", d.str()) + ", " + g.of("1", "2", "-1", "0", "i8") + ")"
	case 11:
		return "translate(" + d.str() + ", " + g.of("'aÄ1'", d.str()) + ", " + g.of("'x'", d.str()) + ")"
	case 12:
		return g.of("initcap", "md5", "hex", "monthname", "dayname") + "(" + g.of(d.str(), d.date(), "i64") + ")"
	case 13:
		return "regexp_replace(" + d.str() + ", " + g.of("'[a-z]'", "'(.)(.)'", "'b*'") + ", " + g.of("'<\\0>'", "'$'", "''") + g.of("", ", 'g'", ", 'gi'") + ")"
	case 14:
		return "regexp_extract(" + d.str() + ", '([a-z])(.)?'" + g.of("", ", 1", ", 2") + ")"
	case 0:
		return g.of("upper", "lower", "trim", "ltrim", "rtrim", "reverse") + "(" + d.str() + ")"
	case 1:
		return "(" + d.str() + " || " + g.of(d.str(), d.num(), d.boolean()) + ")"
	case 2:
		return "substr(" + d.str() + ", " + g.of("1", "2", "4") + ", " + g.of("0", "1", "3") + ")"
	case 3:
		return g.of("left", "right") + "(" + d.str() + ", " + g.of("0", "1", "-1", "2") + ")"
	case 4:
		return "replace(" + d.str() + ", " + g.of("'a'", "'1'", d.str()) + ", " + d.str() + ")"
	case 5:
		return "cast(" + g.of(d.num(), d.boolean(), d.date()) + " as string)"
	case 6:
		return g.caseOf(d.str)
	}
	return g.of("coalesce", "greatest", "least") + "(" + d.str() + ", " + d.str() + ")"
}

func (g *gen) date() string {
	if g.depth <= 0 || g.int(0, 2) == 0 {
		return g.of("dt", "ts", "tz", "tms", "date '2024-02-29'", "timestamp '1969-12-31 23:59:59.5'")
	}
	d := g.deeper()
	switch g.int(0, 7) {
	case 4:
		return "(" + d.date() + g.of(" + ", " - ") + "interval '" + g.of("1 month", "2 years 1 day", "-3 weeks", "36 hours", "1.5 seconds", "1 quarter", "7 milliseconds") + "')"
	case 5:
		return "(" + d.date() + g.of(" + ", " - ") + "interval (i8) " + g.of("day", "month", "minute", "years", "microsecond") + ")"
	case 6:
		return g.of("last_day(", "timezone('Europe/Berlin', ", "timezone('America/New_York', ") + d.date() + ")"
	case 7:
		return "make_date(i32, " + g.of("2", "i8", "12") + ", " + g.of("29", "1", "i8") + ")"
	case 0:
		return "date_trunc('" + g.of("year", "quarter", "month", "week", "day", "hour", "minute", "second") + "', " + d.date() + ")"
	case 1:
		return "cast(" + d.date() + " as " + g.of("date", "timestamp(us)", "timestamp(ms)", "timestamp(ns)") + ")"
	case 2:
		return "coalesce(" + d.date() + ", " + d.date() + ")"
	}
	return g.caseOf(d.date)
}

func (g *gen) boolean() string {
	if g.depth <= 0 || g.int(0, 5) == 0 {
		return g.of("b", "true", "false", "b", "null")
	}
	d := g.deeper()
	op := " " + g.of("=", "<>", "<", "<=", ">", ">=") + " "
	not := g.of("", "not ")
	switch g.int(0, 16) {
	case 11:
		return "(" + g.of(d.num()+" is "+not+"distinct from "+d.num(), d.str()+" is "+not+"distinct from "+d.str()) + ")"
	case 12:
		return "(" + d.boolean() + " is " + not + g.of("true", "false", "unknown") + ")"
	case 13:
		return "(" + d.str() + " " + not + "like " + g.of("'a$%c'", "'$_%'", "'%$%%'", "'$$_'", "'Ä_'") + " escape '$')"
	case 14:
		return "(" + d.str() + " " + not + "ilike " + g.of("'A%'", "'%ä%'", "'_B'", d.str()) + ")"
	case 15:
		return g.of("regexp_matches", "regexp_full_match") + "(" + d.str() + ", " + g.of("'[a-c]+'", "'A|ab'", "'^.$'") + g.of("", ", 'i'") + ")"
	case 16:
		return g.of("is_inf", "signbit", "is_nan", "is_finite") + "(" + d.num() + ")"
	case 0, 1:
		return "(" + d.num() + op + d.num() + ")"
	case 2:
		return "(" + d.str() + op + d.str() + ")"
	case 3:
		return "(" + d.date() + op + g.of(d.date(), "'2024-01-31'") + ")"
	case 4:
		return "(" + g.of(d.num(), d.str(), d.boolean(), d.date()) + " is " + not + "null)"
	case 5:
		return "(" + d.num() + " " + not + "in (" + d.num() + ", " + g.of("1", "null", "2.5") + ", 3))"
	case 6:
		return "(" + d.str() + " " + not + "in ('a', '12', " + d.str() + "))"
	case 7:
		return "(" + d.num() + " " + not + "between " + d.num() + " and " + d.num() + ")"
	case 8:
		return "(" + d.str() + " " + not + "like " + g.of("'a%'", "'%1%'", "'_b'", "'%'", "'%a_'", d.str()) + ")"
	case 9:
		return "(not " + d.boolean() + ")"
	case 10:
		return g.of("starts_with", "ends_with", "contains") + "(" + d.str() + ", " + d.str() + ")"
	}
	return "(" + d.boolean() + g.of(" and ", " or ") + d.boolean() + ")"
}

func (g *gen) any() string {
	return []func() string{g.num, g.str, g.date, g.boolean}[g.int(0, 3)]()
}

// value draws a value of a type: mostly small, sometimes extreme.
func (g *gen) value(t batch.Type) expr.Value {
	small := int64(g.int(-4, 12))
	extreme := g.int(0, 11) == 0
	switch {
	case t.ID == batch.Bool:
		return expr.Value{Bool: small > 3}
	case t.ID == batch.String:
		return expr.Value{Bytes: []byte(g.of("", "a", "A", "ab", " b ", "12", "-1.5", "Äb", "ß€", "a%c", "2024-02-30", "true"))}
	case t.ID == batch.Float16 && extreme:
		return expr.Value{Float: rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 65504, -0x1p-24}).Draw(g.t, "float")}
	case t.IsFloat() && extreme:
		return expr.Value{Float: rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 1 << 40, -1e-30}).Draw(g.t, "float")}
	case t.IsFloat():
		return expr.Value{Float: float64(small) / 4}
	case t.ID == batch.Date:
		return expr.Value{Int: int64(g.int(-40000, 40000))}
	case t.ID == batch.Timestamp:
		if t.Unit == batch.Milli {
			return expr.Value{Int: int64(g.int(-4e12, 4e12))}
		}
		return expr.Value{Int: int64(g.int(-4e15, 4e15))}
	case t.Kind() == batch.KindInt128:
		v := batch.Int128Of(small * 12345)
		if extreme {
			v = batch.Int128{Hi: 1 << 18, Lo: 77}
		}
		return expr.Value{Int128: v}
	case t.IsUnsigned() && extreme && t.ID == batch.Uint64:
		return expr.Value{Int: -1}
	case t.IsUnsigned():
		return expr.Value{Int: max(small, 0)}
	case extreme:
		return expr.Value{Int: map[batch.TypeID]int64{batch.Int8: -128, batch.Int16: math.MinInt16, batch.Int32: math.MaxInt32, batch.Int64: math.MinInt64, batch.Decimal: 999999999}[t.ID]}
	}
	return expr.Value{Int: small}
}

// column draws a column of n rows, nulls over garbage, and the values it means.
func (g *gen) column(acct *mem.Account, f batch.Field, n int) (*batch.Column, []expr.Value, error) {
	vals := make([]expr.Value, n)
	raw := make([]expr.Value, n)
	nulls := g.int(0, 2)
	for i := range vals {
		raw[i] = g.value(f.Type)
		vals[i] = raw[i]
		vals[i].Null = nulls > 0 && g.int(0, nulls*2) == 0
	}
	c, err := fill(acct, f, raw)
	if err != nil {
		return nil, nil, err
	}
	if err := c.NewValid(acct); err != nil {
		return nil, nil, err
	}
	for i, v := range vals {
		if !v.Null {
			c.Valid[i>>3] |= 1 << (i & 7)
		}
	}
	return c.SetNulls(), vals, nil
}

func fill(acct *mem.Account, f batch.Field, vals []expr.Value) (*batch.Column, error) {
	if f.Name == "sd" {
		return fillDict(acct, f, vals)
	}
	if f.Type.Kind() == batch.KindBytes {
		total := 0
		for _, v := range vals {
			total += len(v.Bytes)
		}
		c, err := batch.NewVar(acct, f.Type, len(vals), total)
		if err != nil {
			return nil, err
		}
		at := 0
		c.Off[0] = 0
		for i, v := range vals {
			at += copy(c.Data[at:], v.Bytes)
			c.Off[i+1] = uint32(at)
		}
		return c, nil
	}
	c, err := batch.NewFixed(acct, f.Type, len(vals))
	if err != nil {
		return nil, err
	}
	for i, v := range vals {
		switch f.Type.Kind() {
		case batch.KindBool:
			if c.Fixed[i] = 0; v.Bool {
				c.Fixed[i] = 1
			}
		case batch.KindFloat64:
			c.Float64s()[i] = v.Float
		case batch.KindInt128:
			c.Int128s()[i] = v.Int128
		default:
			c.Int64s()[i] = v.Int
		}
	}
	return c, nil
}

func fillDict(acct *mem.Account, f batch.Field, vals []expr.Value) (*batch.Column, error) {
	codes := map[string]uint32{}
	var words []expr.Value
	for _, v := range vals {
		if _, ok := codes[string(v.Bytes)]; !ok {
			codes[string(v.Bytes)] = uint32(len(words))
			words = append(words, v)
		}
	}
	dict, err := fill(acct, batch.Field{Type: f.Type}, words)
	if err != nil {
		return nil, err
	}
	c, err := batch.NewCodes(acct, dict, len(vals))
	if err != nil {
		dict.Release()
		return nil, err
	}
	for i, v := range vals {
		c.Codes[i] = codes[string(v.Bytes)]
	}
	return c, nil
}

// batchOf draws a batch, often a slice of a longer one, and the values it means by column.
func (g *gen) batchOf(acct *mem.Account) (*batch.Batch, [][]expr.Value, error) {
	n := g.int(0, 40)
	from := 0
	if n > 0 {
		from = g.int(0, n-1)
	}
	whole := &batch.Batch{Schema: testSchema, N: n}
	defer whole.Release()
	var vals [][]expr.Value
	for _, f := range testSchema.Fields {
		c, v, err := g.column(acct, f, n)
		if err != nil {
			return nil, nil, err
		}
		whole.Cols = append(whole.Cols, c)
		vals = append(vals, v[from:])
	}
	b, err := whole.Slice(acct, from, n)
	return b, vals, err
}

func get(c *batch.Column, i int) expr.Value {
	if c.IsNull(i) {
		return expr.Value{Null: true}
	}
	if c.Dict != nil {
		return expr.Value{Bytes: c.Value(i)}
	}
	switch c.Type.Kind() {
	case batch.KindBool:
		return expr.Value{Bool: c.Bools()[i] == 1}
	case batch.KindFloat64:
		return expr.Value{Float: c.Float64s()[i]}
	case batch.KindInt128:
		return expr.Value{Int128: c.Int128s()[i]}
	case batch.KindBytes:
		return expr.Value{Bytes: c.Value(i)}
	}
	return expr.Value{Int: c.Int64s()[i]}
}

func same(a, b expr.Value) bool {
	if a.Null || b.Null {
		return a.Null == b.Null
	}
	floats := math.Float64bits(a.Float) == math.Float64bits(b.Float) || math.IsNaN(a.Float) && math.IsNaN(b.Float)
	return floats && a.Bool == b.Bool && a.Int == b.Int && a.Int128 == b.Int128 && string(a.Bytes) == string(b.Bytes)
}

func bindText(text string) (*expr.Bound, error) {
	t, err := expr.Parse(text)
	if err != nil {
		return nil, err
	}
	return expr.Bind(t, testSchema)
}

// reference evaluates every row; failed says that some row has no value.
func reference(b *expr.Bound, vals [][]expr.Value, n int) (out []expr.Value, failed bool, err error) {
	for i := range n {
		v, t, err := refexpr.Eval(b.Tree, testSchema, func(c int) expr.Value { return vals[c][i] })
		switch {
		case refexpr.IsRowError(err):
			failed = true
		case err != nil:
			return nil, false, err
		case t != b.Type:
			return nil, false, fmt.Errorf("type %s, the reference has %s", b.Type, t)
		}
		out = append(out, v)
	}
	return out, failed, nil
}

func withPool(t *rapid.T, run func(acct *mem.Account)) {
	pool := mem.NewPool(64<<20, mem.Protect())
	acct := pool.Account("test", 0)
	run(acct)
	if err := acct.Close(); err != nil {
		t.Fatal(err)
	}
	if err := pool.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestRandomExpressionsEqualTheReferenceRowByRow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := &gen{t, 4}
		var texts []string
		for range g.int(1, 3) {
			texts = append(texts, g.any())
		}
		withPool(t, func(acct *mem.Account) { checkEval(t, g, acct, texts) })
	})
}

func checkEval(t *rapid.T, g *gen, acct *mem.Account, texts []string) {
	var bs []*expr.Bound
	for _, text := range texts {
		b, err := bindText(text)
		if err != nil {
			continue // the generator does not know every rule of types
		}
		bs = append(bs, b)
	}
	in, vals, err := g.batchOf(acct)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Release()
	outs, err := expr.Compile(bs).Eval(acct, in)
	for _, c := range outs {
		defer c.Release()
	}
	anyFailed := false
	for k, b := range bs {
		want, failed, refErr := reference(b, vals, in.N)
		if refErr != nil {
			t.Fatalf("%s: %v", b, refErr)
		}
		if anyFailed = anyFailed || failed; failed || err != nil {
			continue
		}
		for i := range in.N {
			if got := get(outs[k], i); !same(got, want[i]) {
				t.Fatalf("%s\nrow %d: got %+v, want %+v\nrow: %s", b.Tree.Text, i, got, want[i], showRow(vals, i))
			}
			if want[i].Null && !b.Nullable {
				t.Fatalf("%s: row %d is null, and the type says never", b.Tree.Text, i)
			}
		}
	}
	if anyFailed != (err != nil) || err != nil && !errors.As(err, new(*expr.RowError)) {
		t.Fatalf("%s\nfailed: %v; the reference failed: %v", strings.Join(texts, "\n"), err, anyFailed)
	}
}

func showRow(vals [][]expr.Value, i int) string {
	var s strings.Builder
	for c, f := range testSchema.Fields {
		fmt.Fprintf(&s, "%s=%+v ", f.Name, vals[c][i])
	}
	return s.String()
}

func TestFilterKeepsTheRowsThatAreTrue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := &gen{t, 3}
		b, err := bindText(g.boolean())
		if err != nil || b.Type.ID != batch.Bool {
			return
		}
		withPool(t, func(acct *mem.Account) {
			in, vals, err := g.batchOf(acct)
			if err != nil {
				t.Fatal(err)
			}
			defer in.Release()
			want, failed, err := reference(b, vals, in.N)
			if err != nil {
				t.Fatal(err)
			}
			out, err := expr.Compile([]*expr.Bound{b}).Filter(acct, in)
			if failed != (err != nil) {
				t.Fatalf("%s: %v; the reference failed: %v", b, err, failed)
			}
			if err != nil {
				return
			}
			defer out.Release()
			checkFiltered(t, b, want, in, out, vals)
		})
	})
}

func checkFiltered(t *rapid.T, b *expr.Bound, want []expr.Value, in, out *batch.Batch, vals [][]expr.Value) {
	k := 0
	for i, v := range want {
		if v.Null || !v.Bool {
			continue
		}
		for c := range in.Cols {
			if k >= out.N || !same(get(out.Cols[c], k), vals[c][i]) {
				t.Fatalf("%s: row %d is not row %d of the result", b, i, k)
			}
		}
		k++
	}
	if k != out.N {
		t.Fatalf("%s: %d rows, want %d", b, out.N, k)
	}
	if k > 0 && !b.MayBeTrue(func(c int) expr.Stats { return statsOf(in.Cols[c]) }) {
		t.Fatalf("%s: pruned rows for which it is true", b)
	}
}

// statsOf returns statistics as Parquet has them: NaN is left out of the bounds.
func statsOf(c *batch.Column) expr.Stats {
	s := expr.Stats{Nulls: int64(c.Nulls), Rows: int64(c.N), NoNaN: true}
	for i := range c.N {
		v := get(c, i)
		if v.Null {
			continue
		}
		if math.IsNaN(v.Float) {
			s.NoNaN = false
			continue
		}
		if !s.HasBounds || lessValue(v, s.Min, c.Type) {
			s.Min = v
		}
		if !s.HasBounds || lessValue(s.Max, v, c.Type) {
			s.Max = v
		}
		s.HasBounds = true
	}
	return s
}

func lessValue(a, b expr.Value, t batch.Type) bool {
	switch {
	case t.Kind() == batch.KindFloat64:
		return a.Float < b.Float
	case t.Kind() == batch.KindBytes:
		return string(a.Bytes) < string(b.Bytes)
	case t.Kind() == batch.KindInt128:
		return a.Int128.Cmp(b.Int128) < 0
	case t.Kind() == batch.KindBool:
		return !a.Bool && b.Bool
	case t.ID == batch.Uint64:
		return uint64(a.Int) < uint64(b.Int)
	}
	return a.Int < b.Int
}

func TestNormalisedTextMeansTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := &gen{t, 4}
		b, err := bindText(g.any())
		if err != nil {
			return
		}
		text := b.String()
		for range 2 {
			again, err := bindText(text)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if again.Type != b.Type {
				t.Fatalf("%s :: %s became %s :: %s", b, b.Type, again, again.Type)
			}
			text = again.String()
		}
		if once, _ := bindText(b.String()); once.String() != text {
			t.Fatalf("%s is not normal: it becomes %s", once, text)
		}
	})
}

func TestAMemoryLimitAnywhereLeavesNothingBehind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := &gen{t, 4}
		b, err := bindText(g.any())
		if err != nil {
			return
		}
		withPool(t, func(acct *mem.Account) {
			in, _, err := g.batchOf(acct)
			if err != nil {
				t.Fatal(err)
			}
			defer in.Release()
			tight := acct.Pool().Account("tight", int64(g.int(1, 20))<<12)
			outs, err := expr.Compile([]*expr.Bound{b}).Eval(tight, in)
			if err != nil && !errors.Is(err, mem.ErrLimit) && !errors.As(err, new(*expr.RowError)) {
				t.Fatalf("%s: %v", b, err)
			}
			for _, c := range outs {
				c.Release()
			}
			if err := tight.Close(); err != nil {
				t.Fatalf("%s: %v", b, err)
			}
		})
	})
}
