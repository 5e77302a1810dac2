package jobgen

import (
	"fmt"
	"math/rand/v2"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/batch/nested"
)

// NestedValue returns a random value of a nested type, with nulls wherever there may be such, as batchtest has it: its bytes
// as a string. It panics where the shape is none.
func NestedValue(r *rand.Rand, t batch.Type) string {
	typ, err := nested.Of(t)
	b := &nested.Builder{}
	if err == nil {
		err = fill(b, typ, r)
	}
	if err != nil {
		panic(fmt.Errorf("a value of %s: %w", t, err))
	}
	return string(b.Bytes)
}

// fill appends a value.
func fill(b *nested.Builder, t *nested.Type, r *rand.Rand) error {
	if t.Kind == nested.Leaf {
		c, err := batchtest.Column(nil, t.Leaf, []any{value(r, t.Leaf)}, batchtest.Flat)
		if err != nil {
			return err
		}
		return b.Value(c, 0)
	}
	n := 1 // rounds of its parts: elements, entries
	if t.Kind != nested.Struct {
		n = []int{0, 1, 1, 2, 3, 9, 20}[r.IntN(7)]
	}
	if err := b.Begin(t); err != nil {
		return err
	}
	for range n {
		for i := range t.Fields {
			if err := part(b, &t.Fields[i], r); err != nil {
				return err
			}
		}
	}
	return b.End()
}

func part(b *nested.Builder, f *nested.Field, r *rand.Rand) error {
	if f.Nullable && r.IntN(4) == 0 {
		return b.Null()
	}
	return fill(b, f.Type, r)
}
