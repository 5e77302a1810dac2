package expr

import (
	"testing"

	"pqjoin/batch"
	"pqjoin/mem"
)

var shareSchema = batch.NewSchema(
	batch.Field{Name: "a", Type: batch.Of(batch.Int64), Nullable: true},
	batch.Field{Name: "s", Type: batch.Of(batch.String), Nullable: true},
)

func shareBound(t *testing.T, text string) *Bound {
	tree, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Bind(tree, shareSchema)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// steps counts the steps of expressions compiled together that compute something.
func steps(t *testing.T, texts ...string) int {
	var bs []*Bound
	for _, text := range texts {
		bs = append(bs, shareBound(t, text))
	}
	n := 0
	for _, st := range Compile(bs).steps {
		if st.way == wayStrict || st.way == waySpecial {
			n++
		}
	}
	return n
}

func TestPartsThatExpressionsShareAreComputedOnce(t *testing.T) {
	for _, c := range []struct {
		texts []string
		want  int
	}{
		{[]string{"ln(a)", "ln(a) + 1", "2 * ln(a)"}, 4}, // a as float64, ln, +, *
		{[]string{"upper(s)", "upper(s) || 'x'", "length(upper(s))"}, 3},
		{[]string{"regexp_extract(s, '(a)(b)', 1)", "regexp_extract(s, '(a)(b)', 2)", "regexp_extract(s, '(a)(b)', 1)"}, 2},
		{[]string{"year(date '2024-01-01' + 1) + a"}, 1},
		{[]string{"interval '1 day' + date '2024-01-01'", "md5('a')", "regexp_replace('abc', 'b', 'x')", "hash('a', 1)", "concat('a', null)", "1 is distinct from null"}, 0},
		// What is computed only where it is needed is shared too.
		{[]string{"case when a > 0 then cast(s as int64) end", "case when a > 0 then cast(s as int64) end"}, steps(t, "case when a > 0 then cast(s as int64) end")},
	} {
		if got := steps(t, c.texts...); got != c.want {
			t.Errorf("%q take %d steps, want %d", c.texts, got, c.want)
		}
	}
}

// countRows wraps every strict step of a program so that the rows it is given are counted.
func countRows(p *Program) *int {
	rows := new(int)
	for i := range p.steps {
		if k := p.steps[i].strict; p.steps[i].way == wayStrict {
			p.steps[i].strict = func(f *frame) error { *rows += f.n; return k(f) }
		}
	}
	return rows
}

func TestFunctionsOfACodedColumnAreComputedOncePerEntry(t *testing.T) {
	pool := mem.NewPool(64<<20, mem.Protect())
	acct := pool.Account("test", 0)
	for _, text := range []string{
		"upper(s)", "regexp_replace(s, 'a', 'b', 'g')", "md5(s)", "lpad(s, 9, '.')", "split_part(s, 'a', 2)", "levenshtein(s, 'abc')", "s ilike 'A%'", "s like 'a$%' escape '$'",
		"regexp_matches(s, '^a')", "translate(s, 'a', 'b')", "initcap(s)", "hash(s)", "strpos(s, 'a')", "try_cast(s as int64) is null or true",
	} {
		b := shareBound(t, text)
		p := Compile([]*Bound{b})
		rows := countRows(p)
		in := codedBatch(t, acct, 1000, 3)
		out, err := p.Eval(acct, in)
		if err != nil {
			t.Fatal(err)
		}
		if *rows > 20 {
			t.Errorf("%s was computed of %d values, of 3 entries", text, *rows)
		}
		out[0].Release()
		in.Release()
	}
	if err := acct.Close(); err != nil {
		t.Error(err)
	}
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
}

// codedBatch has n rows of a, all 1, and of s, which has some entries in a dictionary.
func codedBatch(t *testing.T, acct *mem.Account, n, entries int) *batch.Batch {
	dict, err := batch.NewVar(acct, batch.Of(batch.String), entries, 2*entries)
	if err != nil {
		t.Fatal(err)
	}
	dict.Off[0] = 0
	for i := range entries {
		copy(dict.Data[2*i:], []byte{'a', byte('0' + i)})
		dict.Off[i+1] = uint32(2 * (i + 1))
	}
	s, err := batch.NewCodes(acct, dict, n)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		s.Codes[i] = uint32(i % entries)
	}
	a, err := batch.NewFixed(acct, batch.Of(batch.Int64), n)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		a.Int64s()[i] = 1
	}
	return &batch.Batch{Schema: shareSchema, Cols: []*batch.Column{a, s}, N: n}
}
