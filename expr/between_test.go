package expr

import (
	"math"
	"slices"
	"testing"

	"pqjoin/batch"
)

// Two comparisons of one value are one look at it, and say what two say.
func TestTwoComparisonsOfOneValueAreOne(t *testing.T) {
	schema := batch.NewSchema(
		batch.Field{Name: "i", Type: batch.Of(batch.Int64), Nullable: true},
		batch.Field{Name: "u", Type: batch.Of(batch.Uint64), Nullable: true},
		batch.Field{Name: "j", Type: batch.Of(batch.Int64)},
	)
	vals := []int64{math.MinInt64, math.MinInt64 + 1, -6, -5, -4, 0, 4, 5, 6, math.MaxInt64 - 1, math.MaxInt64, 0}
	var cols []*batch.Column
	for _, f := range schema.Fields {
		c := &batch.Column{Type: f.Type, N: len(vals), Fixed: make([]byte, 8*len(vals))}
		copy(c.Int64s(), vals)
		if f.Nullable {
			c.Valid, c.Nulls = []byte{0xff, 0x07}, 1
		}
		cols = append(cols, c)
	}
	in := &batch.Batch{Schema: schema, Cols: cols, N: len(vals)}
	eval := func(text string) (got []string, steps int) {
		tree, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		bound, err := Bind(tree, schema)
		if err != nil {
			t.Fatal(err)
		}
		p := Compile([]*Bound{bound})
		out, err := p.Eval(nil, in)
		if err != nil {
			t.Fatal(err)
		}
		flat, err := batch.Flatten(nil, out[0])
		if err != nil {
			t.Fatal(err)
		}
		for i := range vals {
			switch {
			case flat.IsNull(i):
				got = append(got, "null")
			case flat.Bools()[i] == 1:
				got = append(got, "true")
			default:
				got = append(got, "false")
			}
		}
		return got, len(p.steps)
	}
	const column = 2 // steps: the column and one look
	for _, c := range []struct {
		one, two string
		steps    int
	}{
		{"i >= -5 and i < 5", "(i > -5 or i = -5) and (i < 4 or i = 4)", column},
		{"i > -5 and i <= 5", "(i > -4 or i = -4) and (i < 5 or i = 5)", column},
		{"-5 <= i and 5 > i", "(i > -5 or i = -5) and (i < 4 or i = 4)", column},
		{"-5 < i and 5 >= i", "(i > -4 or i = -4) and (i < 5 or i = 5)", column},
		{"i between -5 and 5", "(i > -5 or i = -5) and (i < 5 or i = 5)", column},
		{"i between 5 and -5", "i < i", column},
		{"i > 5 and i < 5", "i < i", column},
		{"i < 5 and i < 0", "i < 0", column},
		{"i > 9223372036854775806 and i <= 9223372036854775807", "i = 9223372036854775807", column},
		{"i between -9223372036854775808 and 9223372036854775807", "i = i", column},
		{"not (i between -5 and 5)", "i < -5 or i > 5", 0},
		{"i not between -5 and 5", "i < -5 or i > 5", 0},
		{"u >= 5 and u <= 6", "u = 5 or u = 6", 0}, // bits of unsigned words have another order
		{"i >= 0 and j <= 5", "not (i < 0) and not (j > 5)", 0},
		{"i >= 5 and i <= null", "case when i < 5 then false when i is null then null else null end", 0},
		{"i between j and 5", "i >= j and i <= 5", 0},
		{"i >= 0 and i <= 5 and i <> 4", "i = 0 or i = 5", 0},
	} {
		one, steps := eval(c.one)
		two, _ := eval(c.two)
		if !slices.Equal(one, two) {
			t.Errorf("%s: %v, want %v", c.one, one, two)
		}
		if c.steps > 0 && steps != c.steps {
			t.Errorf("%s takes %d steps, want %d", c.one, steps, c.steps)
		}
	}
}
