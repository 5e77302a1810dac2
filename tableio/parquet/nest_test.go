package parquet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/nested"
	"pqjoin/internal/vfs"
	"pqjoin/mem"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var leafTypes = []batch.Type{
	batch.Of(batch.Bool), batch.Of(batch.Int8), batch.Of(batch.Uint16), batch.Of(batch.Int32), batch.Of(batch.Int64), batch.Of(batch.Uint64),
	batch.Of(batch.Float16), batch.Of(batch.Float32), batch.Of(batch.Float64), batch.DecimalOf(9, 2), batch.DecimalOf(38, 10),
	batch.Of(batch.String), batch.Of(batch.Binary), {ID: batch.Fixed, Width: 5}, batch.Of(batch.UUID), batch.Of(batch.Date),
	{ID: batch.Time, Unit: batch.Micro}, batch.TimestampOf(batch.Nano, true),
}

func genNested(depth int, top bool) *rapid.Generator[*nested.Type] {
	return rapid.Custom(func(t *rapid.T) *nested.Type {
		kinds := []nested.Kind{nested.List, nested.Map, nested.Struct}
		if !top {
			kinds = append(kinds, nested.Leaf, nested.Leaf)
		}
		kind := nested.Leaf
		if depth > 0 {
			kind = rapid.SampledFrom(kinds).Draw(t, "kind")
		}
		part := func(name string, nullable bool) nested.Field {
			return nested.Field{Name: name, Nullable: nullable, Type: genNested(depth-1, false).Draw(t, "part")}
		}
		typ := &nested.Type{Kind: kind}
		switch kind {
		case nested.Leaf:
			typ.Leaf = rapid.SampledFrom(leafTypes).Draw(t, "leaf")
		case nested.List:
			typ.Fields = []nested.Field{part("", rapid.Bool().Draw(t, "nullable"))}
		case nested.Map:
			typ.Fields = []nested.Field{part("", false), part("", rapid.Bool().Draw(t, "nullable"))}
		case nested.Struct:
			for i := range rapid.IntRange(1, 4).Draw(t, "fields") {
				typ.Fields = append(typ.Fields, part(fmt.Sprint("f", i), rapid.Bool().Draw(t, "nullable")))
			}
		}
		return typ
	})
}

// randomValue appends a value of the type; rnd is cheaper than draws.
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
		case t.Leaf.ID == batch.Decimal && t.Leaf.Prec <= 9:
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

func randomNested(t *nested.Type, nullable bool, rows int, rnd func(n int) int) *batch.Column {
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

func lcg(seed uint64) func(n int) int {
	return func(n int) int {
		seed = seed*6364136223846793005 + 1442695040888963407
		return int((seed >> 33) % uint64(n))
	}
}

// writeNested writes one table in batches of uneven lengths, in pages of few entries where page is little.
func writeNested(t fataler, path string, acct *mem.Account, schema *batch.Schema, cols []*batch.Column, page int64, o WriterOptions) {
	t.Helper()
	ctx := context.Background()
	o.Acct = acct
	w, err := CreateFile(ctx, vfs.OS(), path, schema, o)
	if err != nil {
		t.Fatal(err)
	}
	if page > 0 {
		w.chunkOpts.pageBytes = page
	}
	for i, step := 0, 300; i < cols[0].N; step += 17 {
		j := min(i+step, cols[0].N)
		b := &batch.Batch{Schema: schema, N: j - i}
		for _, c := range cols {
			part, err := c.Slice(acct, i, j)
			if err != nil {
				t.Fatal(err)
			}
			b.Cols = append(b.Cols, part)
		}
		if err := w.Write(ctx, b); err != nil {
			w.Abort()
			t.Fatal(err)
		}
		i = j
	}
	if _, err := w.Close(ctx); err != nil {
		w.Abort()
		t.Fatal(err)
	}
}

// readNested reads all rows of all row groups.
func readNested(t fataler, path string, acct *mem.Account, opts ReadOptions) (*batch.Schema, [][]string, error) {
	t.Helper()
	ctx := context.Background()
	f, err := Open(ctx, vfs.OS(), path)
	if err != nil {
		return nil, nil, err
	}
	cols := make([]int, len(f.Schema().Fields))
	rows := make([][]string, len(cols))
	for i := range cols {
		cols[i] = i
	}
	for g := range f.RowGroups() {
		s, err := f.ReadRowGroup(ctx, acct, g, cols, opts)
		if err != nil {
			return nil, nil, err
		}
		for {
			b, err := s.Next(ctx)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				_ = s.Close()
				return nil, nil, err
			}
			for i, c := range b.Cols {
				rows[i] = append(rows[i], texts(c)...)
			}
			b.Release()
		}
		if err := s.Close(); err != nil {
			return nil, nil, err
		}
	}
	return f.Schema(), rows, nil
}

// texts returns the rows of a column of bytes or int64 as they compare.
func texts(c *batch.Column) (rows []string) {
	for i := range c.N {
		switch {
		case c.IsNull(i):
			rows = append(rows, "null")
		case c.Type.Kind() == batch.KindBytes:
			rows = append(rows, fmt.Sprintf("%x", c.Value(i)))
		default:
			rows = append(rows, fmt.Sprint(c.Int64s()[i]))
		}
	}
	return rows
}

func TestNestedColumnsAreReadAsTheyWereWritten(t *testing.T) {
	dir := t.TempDir()
	pool := mem.NewPool(1<<30, mem.Protect())
	acct := pool.Account("test", 0)
	file := 0
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SampledFrom([]int{0, 1, 7, 900, 4000}).Draw(t, "rows")
		rnd := lcg(rapid.Uint64().Draw(t, "seed"))
		schema := batch.NewSchema(batch.Field{Name: "id", Type: batch.Of(batch.Int64)})
		ids := &batch.Column{Type: batch.Of(batch.Int64), N: rows, Fixed: batch.BytesOf(make([]int64, rows))}
		cols := []*batch.Column{ids}
		for i := range rapid.IntRange(1, 3).Draw(t, "columns") {
			typ, nullable := genNested(3, true).Draw(t, "type"), rapid.Bool().Draw(t, "nullable")
			schema.Fields = append(schema.Fields, batch.Field{Name: fmt.Sprint("c", i), Type: typ.Batch(), Nullable: nullable})
			cols = append(cols, randomNested(typ, nullable, rows, rnd))
		}
		file++
		path := filepath.Join(dir, fmt.Sprint(file, ".parquet"))
		page := rapid.SampledFrom([]int64{0, 64, 3000}).Draw(t, "page")
		o := WriterOptions{
			Compression: rapid.SampledFrom([]string{"snappy", "zstd", "none", "gzip"}).Draw(t, "codec"), Threads: 2,
			RowGroupRows: rapid.SampledFrom([]int{0, 1000, 5000}).Draw(t, "group"),
		}
		writeNested(t, path, acct, schema, cols, page, o)
		opts := ReadOptions{BatchRows: rapid.SampledFrom([]int{0, 1, 100}).Draw(t, "batch")}
		if rapid.Bool().Draw(t, "small") {
			opts.limits = &limits{piece: 300, page: 200, data: 500}
		}
		got, values, err := readNested(t, path, acct, opts)
		if err != nil {
			t.Fatal(schema.Fields, err)
		}
		if diff := cmp.Diff(schema, got); diff != "" {
			t.Fatal(diff)
		}
		for i, c := range cols {
			if diff := cmp.Diff(texts(c), values[i]); diff != "" {
				t.Fatal(schema.Fields[i].Type, diff)
			}
		}
	})
	if err := errors.Join(acct.Close(), pool.Close()); err != nil {
		t.Error(err)
	}
}

// fataler is what helpers need of a test.
type fataler interface {
	Helper()
	Fatal(args ...any)
}
