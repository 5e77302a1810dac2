package gen

import (
	"errors"
	"io"
	"testing"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
	"pqjoin/tableio"
)

// values are those of a column, read back: one of the three is filled, with zero for null.
type values struct {
	n     int
	ints  []int64
	reals []float64
	texts []string
	null  map[int]bool
}

// readTable reads a table as pqjoin does, in its order.
func readTable(t *testing.T, dir string) map[string]*values {
	t.Helper()
	pool := mem.NewPool(256<<20, mem.Protect())
	acct := pool.Account("read", 0)
	tab, err := tableio.Open(t.Context(), vfs.OS(), tableio.Spec{Paths: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	cols := make([]int, len(tab.Schema().Fields))
	for i := range cols {
		cols[i] = i
	}
	src := tab.Source(cols, nil, tableio.Reading{})
	out := map[string]*values{}
	for _, f := range src.Schema().Fields {
		out[f.Name] = &values{null: map[int]bool{}}
	}
	for unit := range src.Units() {
		if err := readUnit(t, src, unit, acct, out); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(acct.Close(), pool.Close()); err != nil {
		t.Error(err)
	}
	return out
}

func readUnit(t *testing.T, src batch.Source, unit int, acct *mem.Account, out map[string]*values) error {
	st, err := src.Open(t.Context(), unit, acct)
	if err != nil {
		return err
	}
	for {
		b, err := st.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return st.Close()
		}
		if err != nil {
			return errors.Join(err, st.Close())
		}
		for i, c := range b.Cols {
			out[b.Schema.Fields[i].Name].add(c)
		}
		b.Release()
	}
}

func (v *values) add(c *batch.Column) {
	for i := range c.N {
		null := c.IsNull(i)
		if null {
			v.null[v.n] = true
		}
		switch c.Type.Kind() {
		case batch.KindInt64:
			x := int64(0)
			if !null {
				x = c.Int64s()[i]
			}
			v.ints = append(v.ints, x)
		case batch.KindFloat64:
			x := 0.0
			if !null {
				x = c.Float64s()[i]
			}
			v.reals = append(v.reals, x)
		default:
			x := ""
			if !null {
				x = string(c.Value(i))
			}
			v.texts = append(v.texts, x)
		}
		v.n++
	}
}

// distinct returns how many values there are that are not null.
func distinct[T comparable](all []T, null map[int]bool) int {
	seen := map[T]bool{}
	for i, x := range all {
		if !null[i] {
			seen[x] = true
		}
	}
	return len(seen)
}

// within fails where a value that is not null lies outside [lo, hi].
func (v *values) within(t *testing.T, name string, lo, hi int64) {
	t.Helper()
	for i, x := range v.ints {
		if !v.null[i] && (x < lo || x > hi) {
			t.Fatalf("%s: row %d has %d, outside [%d, %d]", name, i, x, lo, hi)
		}
	}
}
