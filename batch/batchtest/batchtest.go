// Package batchtest is for tests alone: tables as boxed values, random ones among them,
// their columns in every layout, and the order of values written down a second time.
//
// A value is nil, bool, int64 (uint64 by its bits), float64, batch.Int128 or string, by
// the kind of its column.
package batchtest

import (
	"cmp"
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"

	"pqjoin/batch"
	"pqjoin/mem"
)

// Types returns one type of every family that can be a key.
func Types() []batch.Type {
	return []batch.Type{
		batch.Of(batch.Bool), batch.Of(batch.Int8), batch.Of(batch.Int32), batch.Of(batch.Int64),
		batch.Of(batch.Uint16), batch.Of(batch.Uint64), batch.Of(batch.Float32), batch.Of(batch.Float64),
		batch.DecimalOf(9, 2), batch.DecimalOf(30, 4), batch.Of(batch.String), batch.Of(batch.Binary),
		{ID: batch.Fixed, Width: 5}, {ID: batch.Fixed, Width: 12}, batch.Of(batch.UUID),
		batch.Of(batch.Date), batch.TimestampOf(batch.Micro, true),
	}
}

// Value returns a random value of t: few different ones, and the awkward ones often.
func Value(r *rand.Rand, t batch.Type, nullable bool) any {
	if nullable && r.IntN(5) == 0 {
		return nil
	}
	switch t.Kind() {
	case batch.KindBool:
		return r.IntN(2) == 1
	case batch.KindInt64:
		return intValue(r, t)
	case batch.KindFloat64:
		special := []float64{0, math.Copysign(0, -1), math.NaN(), math.Float64frombits(0xfff8000000000001), math.Inf(1), math.Inf(-1), 1, -1}
		if r.IntN(3) == 0 {
			return special[r.IntN(len(special))]
		}
		return float64(float32(r.NormFloat64()))
	case batch.KindInt128:
		return batch.Int128{Lo: uint64(r.IntN(3)) * r.Uint64(), Hi: int64(r.IntN(5)-2) * (1 << (20 * r.IntN(2)))}
	}
	if w := t.StoredWidth(); w > 0 {
		return text(r, w)
	}
	return text(r, []int{0, 1, 2, 3, 7, 8, 9, 16, 17, 30}[r.IntN(10)])
}

func intValue(r *rand.Rand, t batch.Type) int64 {
	width := t.StoredWidth() * 8
	if r.IntN(2) == 0 {
		width = min(width, 4)
	}
	v := int64(r.Uint64()) >> (64 - width)
	if t.IsUnsigned() {
		return int64(uint64(v) & (math.MaxUint64 >> (64 - t.StoredWidth()*8)))
	}
	return v
}

// text is made of few bytes, zero among them, so that prefixes are shared.
func text(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = "\x00\x01aa\xff"[r.IntN(5)]
		if i < 9 && r.IntN(4) > 0 {
			b[i] = 'p'
		}
	}
	return string(b)
}

// Compare returns the order of two values of t as sort keys have it: ascending, nulls last.
func Compare(t batch.Type, a, b any) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	switch x := a.(type) {
	case bool:
		y := b.(bool)
		if x == y {
			return 0
		} else if y {
			return -1
		}
		return 1
	case int64:
		if t.IsUnsigned() {
			return cmp.Compare(uint64(x), uint64(b.(int64)))
		}
		return cmp.Compare(x, b.(int64))
	case float64:
		return -cmp.Compare(-x, -b.(float64)) // cmp has NaN least
	case batch.Int128:
		return x.Cmp(b.(batch.Int128))
	default:
		return cmp.Compare(a.(string), b.(string))
	}
}

// CompareKeys is Compare for whole rows by sort keys.
func CompareKeys(schema *batch.Schema, keys []batch.SortKey, a, b []any) int {
	for _, k := range keys {
		x, y := a[k.Column], b[k.Column]
		c := Compare(schema.Fields[k.Column].Type, x, y)
		switch {
		case c == 0:
			continue
		case x == nil || y == nil:
			if k.NullsFirst {
				return -c
			}
		case k.Desc:
			return -c
		}
		return c
	}
	return 0
}

// Layout is how a column lies in memory.
type Layout int

// The layouts.
const (
	Flat   Layout = iota
	Dict          // codes into a dictionary, whose entries may repeat
	Sliced        // rows cut out of a longer column
	Layouts
)

// Column makes a column of the values.
func Column(acct *mem.Account, t batch.Type, vals []any, l Layout) (*batch.Column, error) {
	switch {
	case l == Sliced:
		pad := append(append(append([]any{}, vals[:min(3, len(vals))]...), vals...), vals[:min(2, len(vals))]...)
		c, err := flat(acct, t, pad)
		if err != nil {
			return nil, err
		}
		defer c.Release()
		at := min(3, len(vals))
		return c.Slice(acct, at, at+len(vals))
	case l == Dict:
		return dict(acct, t, vals)
	}
	return flat(acct, t, vals)
}

func dict(acct *mem.Account, t batch.Type, vals []any) (*batch.Column, error) {
	var entries []any
	known, codes := map[any]uint32{}, make([]uint32, len(vals))
	nulls := false
	for i, v := range vals {
		if v == nil {
			nulls = true
			continue
		}
		key := v
		if f, ok := v.(float64); ok {
			key = math.Float64bits(f)
		}
		k, ok := known[key]
		if !ok || i%7 == 0 {
			k = uint32(len(entries))
			entries = append(entries, v)
			known[key] = k
		}
		codes[i] = k
	}
	if len(entries) == 0 {
		return flat(acct, t, vals)
	}
	d, err := flat(acct, t, entries)
	if err != nil {
		return nil, err
	}
	c, err := batch.NewCodes(acct, d, len(vals))
	if err != nil {
		d.Release()
		return nil, err
	}
	copy(c.Codes, codes)
	if !nulls {
		return c, nil
	}
	return withNulls(acct, c, vals)
}

func withNulls(acct *mem.Account, c *batch.Column, vals []any) (*batch.Column, error) {
	if err := c.NewValid(acct); err != nil {
		c.Release()
		return nil, err
	}
	for i, v := range vals {
		if v != nil {
			c.Valid[i>>3] |= 1 << (i & 7)
		}
	}
	return c.SetNulls(), nil
}

func flat(acct *mem.Account, t batch.Type, vals []any) (c *batch.Column, err error) {
	if t.Kind() == batch.KindBytes {
		size := 0
		for _, v := range vals {
			s, _ := v.(string)
			size += len(s)
		}
		if c, err = batch.NewVar(acct, t, len(vals), size); err != nil {
			return nil, err
		}
	} else if c, err = batch.NewFixed(acct, t, len(vals)); err != nil {
		return nil, err
	}
	clear(c.Fixed)
	clear(c.Off)
	at := 0
	for i, v := range vals {
		switch v := v.(type) {
		case bool:
			if v {
				c.Fixed[i] = 1
			}
		case int64:
			c.Int64s()[i] = v
		case float64:
			c.Float64s()[i] = v
		case batch.Int128:
			c.Int128s()[i] = v
		case string:
			at += copy(c.Data[at:], v)
		}
		if c.Off != nil {
			c.Off[i+1] = uint32(at)
		}
	}
	return withNulls(acct, c, vals)
}

// At returns row i of c.
func At(c *batch.Column, i int) any {
	if c.IsNull(i) {
		return nil
	}
	if c.Dict != nil {
		return At(c.Dict, int(c.Codes[i]))
	}
	switch c.Type.Kind() {
	case batch.KindBool:
		return c.Bools()[i] == 1
	case batch.KindInt64:
		return c.Int64s()[i]
	case batch.KindFloat64:
		return c.Float64s()[i]
	case batch.KindInt128:
		return c.Int128s()[i]
	}
	return string(c.Value(i))
}

// Batch makes a batch of rows, each column in a layout of its own.
func Batch(acct *mem.Account, schema *batch.Schema, rows [][]any, layout func(col int) Layout) (*batch.Batch, error) {
	b := &batch.Batch{Schema: schema, N: len(rows)}
	for k, f := range schema.Fields {
		vals := make([]any, len(rows))
		for i := range rows {
			vals[i] = rows[i][k]
		}
		c, err := Column(acct, f.Type, vals, layout(k))
		if err != nil {
			b.Release()
			return nil, err
		}
		b.Cols = append(b.Cols, c)
	}
	return b, nil
}

// Rows returns the rows of b.
func Rows(b *batch.Batch) [][]any {
	out := make([][]any, b.N)
	for i := range out {
		for _, c := range b.Cols {
			out[i] = append(out[i], At(c, i))
		}
	}
	return out
}

// Drain shows every batch of s to use, which may be nil, and closes s.
func Drain(s batch.Stream, use func(*batch.Batch)) (err error) {
	defer func() { err = errors.Join(err, s.Close()) }()
	for {
		b, err := s.Next(context.Background())
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if use != nil {
			use(b)
		}
		b.Release()
	}
}

// Table returns n random rows of the schema.
func Table(r *rand.Rand, schema *batch.Schema, n int) [][]any {
	rows := make([][]any, n)
	for i := range rows {
		for _, f := range schema.Fields {
			rows[i] = append(rows[i], Value(r, f.Type, f.Nullable))
		}
	}
	return rows
}

// Same says whether two values are the same bits; all NaNs are one.
func Same(a, b any) bool {
	x, ok := a.(float64)
	y, ok2 := b.(float64)
	if ok && ok2 {
		return math.Float64bits(x) == math.Float64bits(y) || x != x && y != y
	}
	return a == b
}
