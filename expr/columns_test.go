package expr_test

import (
	"encoding/csv"
	"errors"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/expr"
	"pqjoin/mem"
)

// A columnCase is an expression over columns a, b, c, and rows of their values with DuckDB's answers.
type columnCase struct {
	text   string
	schema *batch.Schema
	rows   [][]string // values, then the answer
}

// differs are our answers where they are not DuckDB's.
var differs = map[string]string{
	// The rest of a division by -1 is 0, though the quotient does not fit.
	"mod(a, b) of -128, -1": "0",
	// A shift keeps the type of what is shifted.
	"a << b of 5, 7": "ERROR", "a << b of 255, 1": "ERROR", "a << b of 255, 7": "ERROR",
	"hamming(a, b) of , ": "0",
	// Casts to coarser units go towards the past, also from nanoseconds.
	"cast(a as date) of 1969-12-31 23:59:59.999999999": "1969-12-31",
	"a at time zone 'UTC' of 0001-01-01":               "0001-01-01 00:00:00+00",
	// Texts that mean no number or day exactly are refused.
	"strptime(a, '%Y-%j') of 2023-366": "ERROR",
	"cast(a as double) of 1e400":       "ERROR", "cast(a as double) of 1_0": "ERROR",
}

// answer is DuckDB's, or ours where it differs; years before 1 we write as ISO 8601 does, and they have no case here.
func (c columnCase) answer(row []string) (want string, ok bool) {
	last := len(row) - 1
	if ours, ok := differs[c.text+" of "+strings.Join(row[:last], ", ")]; ok {
		return ours, true
	}
	return row[last], !strings.Contains(row[last], "(BC)")
}

func columnCases(t *testing.T) []columnCase {
	f, err := os.Open("testdata/columns.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.FieldsPerRecord = -1
	lines, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var cases []columnCase
	var last string
	for _, line := range lines {
		if head := line[0] + "|" + line[1]; head != last {
			last = head
			c := columnCase{text: line[0], schema: batch.NewSchema()}
			for i, name := range strings.Split(line[1], "; ") {
				typ, err := expr.ParseType(name)
				if err != nil {
					t.Fatal(err)
				}
				c.schema.Fields = append(c.schema.Fields, batch.Field{Name: "abc"[i : i+1], Type: typ, Nullable: true})
			}
			cases = append(cases, c)
		}
		c := &cases[len(cases)-1]
		c.rows = append(c.rows, line[2:])
	}
	return cases
}

// constant binds a value as a constant of a type.
func constant(t *testing.T, text string, typ batch.Type) *expr.Bound {
	if text != "NULL" {
		text = "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	tree, err := expr.Parse("cast(" + text + " as " + typ.String() + ")")
	if err != nil {
		t.Fatal(err)
	}
	b, err := expr.Bind(tree, batch.NewSchema())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// bindResult binds the case's expression as a text.
func (c columnCase) bindResult() (*expr.Bound, error) {
	tree, err := expr.Parse(c.text)
	if err != nil {
		return nil, err
	}
	b, err := expr.Bind(tree, c.schema)
	if err != nil {
		return nil, err
	}
	wrap := "cast((" + c.text + ") as string)"
	if b.Type.ID == batch.Binary {
		wrap = "hex(" + c.text + ")"
	}
	if tree, err = expr.Parse(wrap); err != nil {
		return nil, err
	}
	return expr.Bind(tree, c.schema)
}

// input makes the batch of some rows; with dict, texts are dictionary-coded.
func (c columnCase) input(t *testing.T, acct *mem.Account, rows [][]string, dict bool) *batch.Batch {
	in := &batch.Batch{Schema: c.schema, N: len(rows)}
	for k, f := range c.schema.Fields {
		vals := make([]expr.Value, len(rows))
		for i, row := range rows {
			out, err := expr.Compile([]*expr.Bound{constant(t, row[k], f.Type)}).Eval(acct, &batch.Batch{Schema: batch.NewSchema(), N: 1})
			if err != nil {
				t.Fatal(err)
			}
			vals[i] = get(out[0], 0)
			vals[i].Bytes = append([]byte(nil), vals[i].Bytes...)
			out[0].Release()
		}
		col, err := fillColumn(acct, f, vals, dict)
		if err != nil {
			t.Fatal(err)
		}
		in.Cols = append(in.Cols, col)
	}
	return in
}

func fillColumn(acct *mem.Account, f batch.Field, vals []expr.Value, dict bool) (*batch.Column, error) {
	if dict && f.Type.ID == batch.String {
		f.Name = "sd"
	}
	col, err := fill(acct, f, vals)
	if err == nil {
		err = col.NewValid(acct)
	}
	if err != nil {
		return nil, err
	}
	for i, v := range vals {
		if !v.Null {
			col.Valid[i>>3] |= 1 << (i & 7)
		}
	}
	return col.SetNulls(), nil
}

// evaluate returns the texts of the rows; an error where some row fails.
func (c columnCase) evaluate(t *testing.T, rows [][]string, dict bool) ([]string, error) {
	b, err := c.bindResult()
	if err != nil {
		return nil, err
	}
	pool := mem.NewPool(64<<20, mem.Protect())
	acct := pool.Account("test", 0)
	defer func() {
		if err := errors.Join(acct.Close(), pool.Close()); err != nil {
			t.Fatal(err)
		}
	}()
	in := c.input(t, acct, rows, dict)
	defer in.Release()
	out, err := expr.Compile([]*expr.Bound{b}).Eval(acct, in)
	if err != nil {
		return nil, err
	}
	defer out[0].Release()
	return textsOfColumn(out[0]), nil
}

func textsOfColumn(c *batch.Column) []string {
	texts := make([]string, c.N)
	for i := range texts {
		if texts[i] = "NULL"; !c.IsNull(i) {
			texts[i] = string(c.Value(i))
		}
	}
	return texts
}

// asConstants evaluates the case with the row's values written into it.
func (c columnCase) asConstants(t *testing.T, row []string) string {
	b, err := c.bindResult()
	if err != nil {
		return "ERROR"
	}
	exprs := make([]*expr.Bound, len(c.schema.Fields))
	for k, f := range c.schema.Fields {
		exprs[k] = constant(t, row[k], f.Type)
	}
	out, err := expr.Compile([]*expr.Bound{b.Substitute(exprs)}).Eval(nil, &batch.Batch{Schema: batch.NewSchema(), N: 1})
	if err != nil {
		return "ERROR"
	}
	return textsOfColumn(out[0])[0]
}

// alike compares texts, and floats up to the last digits, in which mathematical libraries differ.
func alike(got, want string) bool {
	if got == want {
		return true
	}
	x, errX := strconv.ParseFloat(got, 64)
	y, errY := strconv.ParseFloat(want, 64)
	return errX == nil && errY == nil && strings.ContainsAny(want, ".e") && math.Abs(x-y) <= 4e-15*math.Max(math.Abs(x), math.Abs(y))
}

func TestColumnsHaveDuckDBsValues(t *testing.T) {
	for _, c := range columnCases(t) {
		t.Run(c.text, func(t *testing.T) {
			checkColumns(t, c)
		})
	}
}

func checkColumns(t *testing.T, c columnCase) {
	var good [][]string
	for _, row := range c.rows {
		want, ok := c.answer(row)
		if !ok {
			continue
		}
		if got := c.asConstants(t, row); !alike(got, want) {
			t.Errorf("of %q: %s, want %s", row[:len(row)-1], got, want)
		}
		if want != "ERROR" {
			good = append(good, row)
			continue
		}
		if got, err := c.evaluate(t, [][]string{row}, false); err == nil {
			t.Errorf("of the column %q: %s, want an error", row[:len(row)-1], got)
		}
	}
	for _, dict := range []bool{false, true} {
		got, err := c.evaluate(t, good, dict)
		if err != nil && len(good) > 0 {
			t.Errorf("dict %v: %v", dict, err)
			continue
		}
		for i, text := range got {
			if want, _ := c.answer(good[i]); !alike(text, want) {
				t.Errorf("of the column (dict %v) %q: %s, want %s", dict, good[i][:len(good[i])-1], text, want)
			}
		}
	}
}
