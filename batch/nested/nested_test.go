package nested_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/nested"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestShapesAreReadAsTheyArePrinted(t *testing.T) {
	for _, s := range []string{
		"list<int64>", "list<string not null>", "map<string, list<float64>>", "map<struct<a: int8>, bool not null>",
		`struct<a: int64 not null, "b c": timestamp(us, utc), "": decimal(12, 2), "\"": fixed(3)>`,
		"list<list<list<time(ns)>> not null>", "struct<x: uuid, y: float16, z: date>",
	} {
		typ, err := nested.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s, typ.String()); diff != "" {
			t.Error(diff)
		}
		if got := typ.Batch().String(); got != s {
			t.Errorf("a column of %s is of type %s", s, got)
		}
	}
	for _, s := range []string{
		"", "list", "list<", "list<int64", "list<int65>", "map<string>", "struct<>", "struct<a>", "struct<a: >", "list<int64>>",
		"list<decimal>", "list<decimal(0, 0)>", "list<decimal(39, 1)>", "list<timestamp(us, utx)>", "list<fixed(70000)>", `struct<"a: int8>`,
		strings.Repeat("list<", 200) + "int8" + strings.Repeat(">", 200),
	} {
		if typ, err := nested.Parse(s); err == nil {
			t.Errorf("%q is the type %s", s, typ)
		}
	}
}

func genType(depth int) *rapid.Generator[*nested.Type] {
	return rapid.Custom(func(t *rapid.T) *nested.Type {
		kind := nested.Leaf
		if depth > 0 {
			kind = rapid.SampledFrom([]nested.Kind{nested.Leaf, nested.List, nested.Map, nested.Struct}).Draw(t, "kind")
		}
		part := func(name string, nullable bool) nested.Field {
			return nested.Field{Name: name, Nullable: nullable, Type: genType(depth-1).Draw(t, "part")}
		}
		typ := &nested.Type{Kind: kind}
		switch kind {
		case nested.Leaf:
			typ.Leaf = rapid.SampledFrom([]batch.Type{
				batch.Of(batch.Bool), batch.Of(batch.Int16), batch.Of(batch.Uint32), batch.Of(batch.Int64), batch.Of(batch.Float32),
				batch.DecimalOf(30, 2), batch.Of(batch.String), {ID: batch.Fixed, Width: 3},
			}).Draw(t, "leaf")
		case nested.List:
			typ.Fields = []nested.Field{part("", rapid.Bool().Draw(t, "nullable"))}
		case nested.Map:
			typ.Fields = []nested.Field{part("", false), part("", rapid.Bool().Draw(t, "nullable"))}
		case nested.Struct:
			for i := range rapid.IntRange(1, 10).Draw(t, "fields") {
				typ.Fields = append(typ.Fields, part(fmt.Sprint("f", i), rapid.Bool().Draw(t, "nullable")))
			}
		}
		return typ
	})
}

// build encodes a random value of the type and returns what a walk over it must print.
func build(t *rapid.T, b *nested.Builder, typ *nested.Type, depth int) string {
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	child := func(f *nested.Field) string {
		if f.Nullable && rapid.IntRange(0, 3).Draw(t, "null") == 0 {
			check(b.Null())
			return "null "
		}
		return build(t, b, f.Type, depth+1)
	}
	if typ.Kind == nested.Leaf {
		c := leafColumn(t, typ.Leaf)
		check(b.Value(c, 0))
		return printed(c)
	}
	check(b.Begin(typ))
	n, out := len(typ.Fields), ""
	if typ.Kind != nested.Struct {
		n = rapid.IntRange(0, max(1, 12>>(2*depth))).Draw(t, "items")
		if depth == 0 && rapid.IntRange(0, 9).Draw(t, "long") == 0 {
			n *= 10
		}
	}
	for i := range n {
		switch typ.Kind {
		case nested.Struct:
			out += child(&typ.Fields[i])
		case nested.Map:
			out += child(&typ.Fields[0]) + child(&typ.Fields[1])
		default:
			out += child(&typ.Fields[0])
		}
	}
	check(b.End())
	return fmt.Sprintf("%d( %s) ", n, out)
}

func leafColumn(t *rapid.T, typ batch.Type) *batch.Column {
	c := &batch.Column{Type: typ, N: 1}
	v := rapid.Int64().Draw(t, "v")
	switch {
	case typ.ID == batch.String:
		c.Data = []byte(rapid.StringN(0, 5, 200).Draw(t, "s"))
	case typ.ID == batch.Fixed:
		c.Data = []byte{1, byte(v), 3}
	case typ.ID == batch.Bool:
		c.Fixed = []byte{byte(v & 1)}
	case typ.ID == batch.Int16:
		c.Fixed = batch.BytesOf([]int64{int64(int16(v))})
	case typ.ID == batch.Uint32:
		c.Fixed = batch.BytesOf([]int64{int64(uint32(v))})
	case typ.ID == batch.Float32:
		c.Fixed = batch.BytesOf([]float64{float64(float32(v))})
	case typ.Kind() == batch.KindInt128:
		c.Fixed = batch.BytesOf([]batch.Int128{{Hi: v, Lo: uint64(-v)}})
	default:
		c.Fixed = batch.BytesOf([]int64{v})
	}
	c.Off = []uint32{0, uint32(len(c.Data))}
	return c
}

func printed(c *batch.Column) string {
	if c.Type.Kind() == batch.KindBytes {
		return fmt.Sprintf("%q ", c.Value(0))
	}
	return fmt.Sprintf("%x ", c.Fixed)
}

type printer struct{ out strings.Builder }

func (p *printer) Begin(_ *nested.Type, n int) error { fmt.Fprintf(&p.out, "%d( ", n); return nil }
func (p *printer) Item(*nested.Type, int) error      { return nil }
func (p *printer) End(*nested.Type) error            { p.out.WriteString(") "); return nil }
func (p *printer) Null(*nested.Type) error           { p.out.WriteString("null "); return nil }
func (p *printer) Leaf(_ *nested.Type, c *batch.Column) error {
	p.out.WriteString(printed(c))
	return nil
}

func TestAWalkShowsWhatWasBuilt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ := genType(3).Draw(t, "type")
		b := &nested.Builder{}
		want := build(t, b, typ, 0)
		p := &printer{}
		w := nested.NewWalker(typ)
		if err := w.Walk(b.Bytes, p); err != nil {
			t.Fatalf("%s: %v", typ, err)
		}
		if diff := cmp.Diff(want, p.out.String()); diff != "" {
			t.Fatal(typ, diff)
		}
		if rest, err := nested.Skip(typ, append(b.Bytes, 7)); err != nil || len(rest) != 1 {
			t.Fatal(rest, err)
		}
		for n := range b.Bytes {
			if err := w.Walk(b.Bytes[:n], &printer{}); !errors.Is(err, nested.ErrMalformed) {
				t.Fatalf("the first %d of %d bytes of %s: %v", n, len(b.Bytes), typ, err)
			}
		}
	})
}

func FuzzBytesThatAreNoValueAreErrors(f *testing.F) {
	f.Add("list<list<string>>", []byte{0xff, 0xff, 0xff, 0xff, 0x0f, 1})
	f.Add("map<string, struct<a: int64, b: bool>>", []byte{3, 1, 0, 1})
	f.Fuzz(func(t *testing.T, shape string, b []byte) {
		typ, err := nested.Parse(shape)
		if err != nil {
			return
		}
		if again, err := nested.Parse(typ.String()); err != nil || again.String() != typ.String() {
			t.Fatal(again, err)
		}
		if err := nested.NewWalker(typ).Walk(b, &printer{}); err != nil && !errors.Is(err, nested.ErrMalformed) {
			t.Fatal(err)
		}
		_, _ = nested.Skip(typ, b)
	})
}
