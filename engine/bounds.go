package engine

import (
	"bytes"
	"cmp"
	"math"

	"pqjoin/batch"
	"pqjoin/expr"
	"pqjoin/tableio"
)

// Bounds returns the least and the greatest value of a column as the footers have them, without
// reading data: no value lies outside, but long strings may be shortened, and NaN is not counted.
// ok is false where a footer does not say, or all values are null.
func Bounds(t *tableio.Table, col int) (least, most Cell, ok bool) {
	typ := t.Schema().Fields[col].Type
	if !typ.Comparable() {
		return least, most, false
	}
	var lo, hi expr.Value
	for u := range t.Units() {
		s := t.Stats(u, col)
		if s.Rows == s.Nulls {
			continue
		}
		if !s.HasBounds {
			return least, most, false
		}
		if !ok || compareValues(typ, s.Min, lo) < 0 {
			lo = s.Min
		}
		if !ok || compareValues(typ, s.Max, hi) > 0 {
			hi = s.Max
		}
		ok = true
	}
	if !ok {
		return least, most, false
	}
	return cellOf(typ, lo, math.MaxInt), cellOf(typ, hi, math.MaxInt), true
}

// compareValues orders two values of type t that are not null.
func compareValues(t batch.Type, a, b expr.Value) int {
	switch t.Kind() {
	case batch.KindBool:
		return cmp.Compare(bit(a.Bool), bit(b.Bool))
	case batch.KindFloat64:
		return cmp.Compare(a.Float, b.Float)
	case batch.KindInt128:
		return a.Int128.Cmp(b.Int128)
	case batch.KindInt64:
		if t.ID == batch.Uint64 {
			return cmp.Compare(uint64(a.Int), uint64(b.Int))
		}
		return cmp.Compare(a.Int, b.Int)
	}
	return bytes.Compare(a.Bytes, b.Bytes)
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
