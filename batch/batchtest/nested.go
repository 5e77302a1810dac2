package batchtest

import (
	"fmt"

	"pqjoin/batch"
	"pqjoin/batch/nested"
)

// leafTypes returns types of every form that a leaf of nested values has.
func leafTypes() []batch.Type {
	return []batch.Type{
		batch.Of(batch.Bool), batch.Of(batch.Int8), batch.Of(batch.Uint16), batch.Of(batch.Int32), batch.Of(batch.Int64), batch.Of(batch.Uint64),
		batch.Of(batch.Float16), batch.Of(batch.Float32), batch.Of(batch.Float64), batch.DecimalOf(9, 2), batch.DecimalOf(38, 10),
		batch.Of(batch.String), batch.Of(batch.Binary), {ID: batch.Fixed, Width: 5}, batch.Of(batch.UUID), batch.Of(batch.Date),
		{ID: batch.Time, Unit: batch.Micro}, {ID: batch.Time, Unit: batch.Milli}, batch.TimestampOf(batch.Nano, true),
	}
}

// LCG returns a cheap source of numbers below n.
func LCG(seed uint64) func(n int) int {
	return func(n int) int {
		seed = seed*6364136223846793005 + 1442695040888963407
		return int((seed >> 33) % uint64(n))
	}
}

// NestedType returns a random type of at most depth levels around its leaves, of which it has one at least.
func NestedType(depth int, rnd func(n int) int) *nested.Type {
	return nestedType(depth, []nested.Kind{nested.List, nested.Map, nested.Struct}, rnd)
}

func nestedType(depth int, kinds []nested.Kind, rnd func(n int) int) *nested.Type {
	kind := nested.Leaf
	if depth > 0 {
		kind = kinds[rnd(len(kinds))]
	}
	part := func(name string, nullable bool) nested.Field {
		below := []nested.Kind{nested.List, nested.Map, nested.Struct, nested.Leaf, nested.Leaf}
		return nested.Field{Name: name, Nullable: nullable, Type: nestedType(depth-1, below, rnd)}
	}
	typ := &nested.Type{Kind: kind}
	switch kind {
	case nested.Leaf:
		leaves := leafTypes()
		typ.Leaf = leaves[rnd(len(leaves))]
	case nested.List:
		typ.Fields = []nested.Field{part("", rnd(2) == 0)}
	case nested.Map:
		typ.Fields = []nested.Field{part("", false), part("", rnd(2) == 0)}
	case nested.Struct:
		for i := range 1 + rnd(4) {
			typ.Fields = append(typ.Fields, part(fmt.Sprint("f", i), rnd(2) == 0))
		}
	}
	return typ
}

// NestedColumn returns random values of a type.
func NestedColumn(t *nested.Type, nullable bool, rows int, rnd func(n int) int) *batch.Column {
	b := &nested.Builder{}
	c := &batch.Column{Type: t.Batch(), N: rows, Off: make([]uint32, rows+1), Valid: make([]byte, batch.BitmapLen(rows))}
	for i := range rows {
		if !nullable || rnd(5) > 0 {
			c.Valid[i>>3] |= 1 << (i & 7)
			randomValue(b, t, rnd)
		}
		c.Off[i+1] = uint32(len(b.Bytes))
	}
	c.Data = b.Bytes
	return c.SetNulls()
}

// randomValue appends a value of the type.
func randomValue(b *nested.Builder, t *nested.Type, rnd func(n int) int) {
	child := func(f *nested.Field) {
		if f.Nullable && rnd(4) == 0 {
			_ = b.Null()
			return
		}
		randomValue(b, f.Type, rnd)
	}
	if t.Kind == nested.Leaf {
		n := nested.LeafWidth(t.Leaf)
		v := make([]byte, n, 16)
		for i := range v {
			v[i] = byte(rnd(3))
		}
		switch {
		case t.Leaf.ID == batch.Float16:
			v = append(v[:0], 0, 0, 0x80, 0x3f)
		case n == 0:
			n = rnd(5)
			v = append(v, byte(n))
			for range n {
				v = append(v, byte('a'+rnd(26)))
			}
		case rnd(5) == 0 && (t.Leaf.IsInteger() || t.Leaf.ID == batch.Decimal): // negative
			for i := range v {
				v[i] = 0xff
			}
		case t.Leaf.ID == batch.Decimal && t.Leaf.Prec <= 9 || t.Leaf.ID == batch.Time:
			clear(v[3:])
		case t.Leaf.ID == batch.Bool:
			v[0] &= 1
		}
		_ = b.Raw(v)
		return
	}
	_ = b.Begin(t)
	n := len(t.Fields)
	if t.Kind != nested.Struct {
		n = max(0, rnd(5)-1)
		if rnd(200) == 0 {
			n = rnd(100)
		}
	}
	for i := range n {
		switch t.Kind {
		case nested.Struct:
			child(&t.Fields[i])
		case nested.Map:
			child(&t.Fields[0])
			child(&t.Fields[1])
		default:
			child(&t.Fields[0])
		}
	}
	_ = b.End()
}
