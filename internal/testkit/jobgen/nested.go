package jobgen

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/batch/nested"
)

// nestedTypes are those of payload columns.
var nestedTypes = []string{
	"list<int64>", "list<int64 not null>", "struct<a: int64, b: string>", "list<struct<x: int32 not null, y: string, z: list<bool>>>", "map<string, int64>",
	"map<string, list<struct<d: date, p: decimal(30, 4), f: float32>>>", "list<list<string>>", "struct<u: uuid, t: timestamp(us, utc), m: map<int64, binary>>",
}

// payload gives some inputs a nested column, most often the same in all of a case. Its numbers are its own, so the rows of
// the other columns are what they are without.
func (g *gen) payload(in *Input) {
	same := rand.New(rand.NewPCG(g.c.Seed, 0x6e6573746564))
	if same.IntN(3) > 0 {
		return
	}
	shape, name := nestedTypes[same.IntN(len(nestedTypes))], "p0"
	r := rand.New(rand.NewPCG(g.c.Seed, uint64(len(g.c.Inputs)+1)))
	switch r.IntN(6) {
	case 0:
		return
	case 1:
		shape, name = nestedTypes[r.IntN(len(nestedTypes))], in.Name+"_p"
	case 2:
		name = in.Name + "_p"
	}
	at, f := r.IntN(len(in.Schema.Fields)+1), batch.Field{Name: name, Type: batch.Type{ID: batch.Nested, Shape: shape}, Nullable: r.IntN(3) > 0}
	in.Schema.Fields = slices.Insert(in.Schema.Fields, at, f)
	for i, row := range in.Rows {
		var v any
		if !f.Nullable || r.IntN(5) > 0 {
			v = NestedValue(r, f.Type)
		}
		in.Rows[i] = slices.Insert(row, at, v)
	}
}

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
