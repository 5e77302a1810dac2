package batch

import "bytes"

// RowsEqual compares rows of two batches by key columns: the kernels are chosen by type
// and layout when it is made, which is cheap enough to do once for a pair of batches.
// NaN equals NaN and -0.0 equals 0.0.
type RowsEqual struct {
	cols []func(i, j int) bool
}

// NewRowsEqual returns the comparison of a row of a with a row of b, whose columns pair
// up and have the same types. With nullsEqual null equals null; without, null equals nothing.
func NewRowsEqual(a, b []*Column, nullsEqual bool) *RowsEqual {
	e := &RowsEqual{cols: make([]func(i, j int) bool, len(a))}
	for k := range a {
		e.cols[k] = withNulls(a[k], b[k], nullsEqual, equalValues(a[k], b[k]))
	}
	return e
}

// Equal says whether row i of a and row j of b have equal keys.
func (e *RowsEqual) Equal(i, j int) bool {
	for _, eq := range e.cols {
		if !eq(i, j) {
			return false
		}
	}
	return true
}

// Keep moves the pairs (i[k], j[k]) with equal keys to the front, in order, and returns how many there are.
func (e *RowsEqual) Keep(i, j []uint32) int {
	n := len(i)
	j = j[:n]
	for _, eq := range e.cols {
		m := 0
		for k := range n {
			if eq(int(i[k]), int(j[k])) {
				i[m], j[m] = i[k], j[k]
				m++
			}
		}
		n = m
	}
	return n
}

func withNulls(a, b *Column, nullsEqual bool, eq func(i, j int) bool) func(i, j int) bool {
	if a.Valid == nil && b.Valid == nil {
		return eq
	}
	return func(i, j int) bool {
		x, y := a.IsNull(i), b.IsNull(j)
		if x || y {
			return x && y && nullsEqual
		}
		return eq(i, j)
	}
}

func equalValues(a, b *Column) func(i, j int) bool {
	switch a.Type.Kind() {
	case KindBytes:
		return equalBytes(a, b)
	case KindInt128:
		return equalFixed(a, b, func(c *Column) []Int128 { return c.Int128s() })
	case KindBool:
		return equalFixed(a, b, func(c *Column) []byte { return c.Bools() })
	case KindFloat64:
		x, ac := fixedValues(a, func(c *Column) []float64 { return c.Float64s() })
		y, bc := fixedValues(b, func(c *Column) []float64 { return c.Float64s() })
		return func(i, j int) bool {
			v, w := x[row(ac, i)], y[row(bc, j)]
			return v == w || v != v && w != w
		}
	default:
		return equalFixed(a, b, func(c *Column) []int64 { return c.Int64s() })
	}
}

func fixedValues[T any](c *Column, values func(*Column) []T) ([]T, []uint32) {
	if c.Dict != nil {
		return values(c.Dict), c.Codes
	}
	return values(c), nil
}

func equalFixed[T comparable](a, b *Column, values func(*Column) []T) func(i, j int) bool {
	x, ac := fixedValues(a, values)
	y, bc := fixedValues(b, values)
	if ac == nil && bc == nil {
		return func(i, j int) bool { return x[i] == y[j] }
	}
	return func(i, j int) bool { return x[row(ac, i)] == y[row(bc, j)] }
}

func equalBytes(a, b *Column) func(i, j int) bool {
	switch {
	case a.Dict != nil && a.Dict == b.Dict: // entries may repeat
		return func(i, j int) bool { return a.Codes[i] == b.Codes[j] || bytes.Equal(a.Value(i), b.Value(j)) }
	case a.Dict == nil && b.Dict == nil:
		return func(i, j int) bool {
			return bytes.Equal(a.Data[a.Off[i]:a.Off[i+1]], b.Data[b.Off[j]:b.Off[j+1]])
		}
	default:
		return func(i, j int) bool { return bytes.Equal(a.Value(i), b.Value(j)) }
	}
}
