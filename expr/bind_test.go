package expr_test

import (
	"errors"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/expr"
)

func TestErrorsPointIntoTheTextAndSayWhatToDo(t *testing.T) {
	schema := batch.NewSchema(
		batch.Field{Name: "price", Type: batch.Of(batch.Float64)},
		batch.Field{Name: "qty", Type: batch.Of(batch.Int32)},
		batch.Field{Name: "sym", Type: batch.Of(batch.String)},
		batch.Field{Name: "day", Type: batch.Of(batch.Date)},
		batch.Field{Name: "tags", Type: batch.Of(batch.Nested)},
	)
	for _, c := range []struct {
		text string
		at   int
		want string
	}{
		{"qty * prize", 6, "no column is called prize (did you mean price?)"},
		{"lnn(price)", 0, "no function is called lnn (did you mean ln?)"},
		{"sum(price)", 0, "aggregates belong in agg"},
		{"price + sym", 8, "+ needs numbers, not float64 and string"},
		{"sym = 1", 6, "string and int32 do not go together in ="},
		{"day > '2024-13-01'", 6, "cannot read '2024-13-01' as date"},
		{"trim(both 'x' from)", 18, "expected a value, found )"},
		{"substring(sym from)", 18, "expected a value, found )"},
		{"substr(sym for 2)", 11, "expected ) after the arguments of substr, found for"},
		{"day > qty", 6, "date and int32 do not go together in >"},
		{"not price", 4, "not needs true or false, not float64"},
		{"ln(price, 1)", 0, "ln takes 1 argument, not 2 (it is used as ln(x) -> float64)"},
		{"cast(day as int32)", 0, "date cannot be cast to int32"},
		{"cast(price as int23)", 14, "no type is called int23 (did you mean int2?"},
		{"price >", 7, "the expression ends too early"},
		{"price = = 1", 8, "expected a value, found ="},
		{"(price", 6, "expected ) for the ( before it, found the end"},
		{"price)", 5, "unexpected ) (there is no ( for it)"},
		{"1 < 2 < 3", 6, "comparisons do not chain"},
		{"price qty", 6, "an operator or a comma is missing before it"},
		{"sym = 'x", 6, "the string is not closed"},
		{"2x + 1", 0, "malformed number 2x"},
		{"price && qty", 6, "write and, or"},
		{"tags = tags", 0, "nested values cannot be compared"},
		{"date_trunc('mont', day)", 11, "did you mean month?"},
		{"strptime(sym, '%Q')", 14, "strptime does not know %Q in a format"},
		{"case when 1 = 1 then 'a' else 2 end", 30, "string and int32 do not go together among the results of case"},
		{"qty is 3", 7, "expected null after is, found 3"},
		{"qty in ()", 4, "the list after in is empty"},
		{"cast(1 as decimal(40, 2))", 17, "decimal does not take the parameters (40, 2)"},
	} {
		tree, err := expr.Parse(c.text)
		if err == nil {
			_, err = expr.Bind(tree, schema)
		}
		var e *expr.Error
		if !errors.As(err, &e) || e.Offset != c.at || !strings.Contains(e.Error(), strings.TrimSuffix(c.want, "(did you mean int2?")) {
			t.Errorf("%s: %#v, want at %d: %s", c.text, err, c.at, c.want)
		}
	}
}

func TestTypesCombineAsDocumented(t *testing.T) {
	for text, want := range map[string]string{
		"i8 + 1": "int8", "i8 + 1000": "int32", "i8 + i32": "int32", "i32 + u32": "int64", "u64 + i8": "decimal(21, 0)", "u64 + 1": "uint64",
		"i32 / 2": "float64", "f32 / 2": "float64", "f32 * 1.5": "float32", "f32 + i32": "float64", "f32 + f64": "float64", "f64 * 1.5": "float64",
		"d9 + 1": "decimal(10, 2)", "d9 * d9": "decimal(18, 4)", "d9 + d25": "decimal(26, 4)", "d9 + i64": "decimal(22, 2)", "d9 * 2": "decimal(10, 2)",
		"1.5 + 2.25": "decimal(4, 2)", "dt + 1": "date", "dt - dt": "int64", "-u32": "int64", "null": "int32", "null + 1": "int32",
		"case when b then i8 end": "int8", "coalesce(i32, 1.5)": "decimal(11, 1)", "round(d9, 1)": "decimal(9, 1)", "coalesce(dt, ts)": "timestamp(us)",
	} {
		b, err := bindText(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if b.Type.String() != want {
			t.Errorf("%s is %s, want %s", text, b.Type, want)
		}
	}
}

func TestPlannersMoveExpressions(t *testing.T) {
	b, err := bindText("i32 * 2 > i8 or s = 'x'")
	if err != nil {
		t.Fatal(err)
	}
	if got := b.Columns(); len(got) != 3 || got[0] != 0 || got[1] != 1 || got[2] != 9 {
		t.Errorf("columns %v", got)
	}
	moved := b.Remap(func(old int) int { return old + 10 })
	if got := moved.Columns(); got[0] != 10 || got[2] != 19 {
		t.Errorf("remapped columns %v", got)
	}
	exprs := make([]*expr.Bound, len(testSchema.Fields))
	for i := range exprs {
		exprs[i] = expr.ColumnRef(testSchema, i)
	}
	if exprs[1], err = bindText("i32 + 1"); err != nil {
		t.Fatal(err)
	}
	pushed := b.Substitute(exprs)
	if want := "(i32 + 1) * 2 > i8 or s = 'x'"; pushed.String() != want {
		t.Errorf("substituted: %s, want %s", pushed, want)
	}
	if again, err := expr.Bind(pushed.Tree, testSchema); err != nil || again.String() != pushed.String() {
		t.Errorf("the substituted tree is %v, %v", again, err)
	}
	guarded := expr.NullIfNull(exprs[1], testSchema, 2)
	if want := "case when i64 is not null then i32 + 1 end"; guarded.String() != want || !guarded.Nullable {
		t.Errorf("guarded: %s", guarded)
	}
}

func TestRowGroupsArePrunedByBounds(t *testing.T) {
	stats := map[int]expr.Stats{
		1: {HasBounds: true, Min: expr.Value{Int: 10}, Max: expr.Value{Int: 20}, Rows: 100},
		5: {HasBounds: true, Min: expr.Value{Float: 1}, Max: expr.Value{Float: 2}, Rows: 100},
		6: {HasBounds: true, Min: expr.Value{Float: 1}, Max: expr.Value{Float: 2}, Rows: 100, NoNaN: true},
		8: {Rows: 100, Nulls: 100},
		9: {HasBounds: true, Min: expr.Value{Bytes: []byte("b")}, Max: expr.Value{Bytes: []byte("d")}, Rows: 100},
	}
	for text, want := range map[string]bool{
		"i32 > 20": false, "i32 >= 20": true, "i32 < 10": false, "i32 = 15": true, "i32 = 21": false, "i32 > 9.5 and i32 < 9.9": false,
		"i32 in (1, 2)": false, "i32 in (1, 12)": true, "i32 between 21 and 30": false, "not i32 < 21": false, "i32 is null": false,
		"f64 > 2": false, "f32 > 2": true, "f32 < 1": false, "f64 < i32": true, "f64 > i32": false, "d25 = 1": false, "d25 is null": true,
		"s = 'a'": false, "s < 'c'": true, "s > 'd'": false, "i8 > 3": true, "i32 > 20 or s = 'c'": true, "i64 > 3 and i32 = 1": false, "false": false, "null": false,
	} {
		b, err := bindText(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := b.MayBeTrue(func(c int) expr.Stats {
			if s, ok := stats[c]; ok {
				return s
			}
			return expr.Stats{Nulls: -1}
		}); got != want {
			t.Errorf("%s may be true: %v, want %v", text, got, want)
		}
	}
}
