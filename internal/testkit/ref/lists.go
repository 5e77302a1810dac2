package ref

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/plan"
)

// gathered computes the aggregates that take all values in the order of the rows.
func gathered(a plan.Agg, in *Table, rows []int) (any, error) {
	for i := 1; i < len(rows); i++ {
		x, y := in.Rows[rows[i-1]][a.Arg], in.Rows[rows[i]][a.Arg]
		if in.Rank[rows[i]] == in.Rank[rows[i-1]] && !batchtest.Same(x, y) {
			return nil, ErrOpen
		}
	}
	if a.Func == "list" {
		vals := make([]any, len(rows))
		for i, r := range rows {
			vals[i] = in.Rows[r][a.Arg]
		}
		return listOf(in.Schema.Fields[a.Arg].Type, vals)
	}
	var texts []string
	for _, i := range rows {
		if v := in.Rows[i][a.Arg]; v != nil {
			texts = append(texts, v.(string))
		}
	}
	if len(texts) == 0 {
		return nil, nil
	}
	return strings.Join(texts, a.Sep), nil
}

// greatest is top: the n greatest of vals, which are not null, in descending order.
func greatest(a plan.Agg, in *Table, typ batch.Type, vals []any) (any, error) {
	if in.Loose[a.Arg] && len(vals) > 0 {
		return nil, ErrOpen
	}
	sorted := slices.Clone(vals)
	slices.SortFunc(sorted, func(x, y any) int { return order(typ, y, x) })
	for i := range sorted {
		if i > 0 && order(typ, sorted[i], sorted[i-1]) != 0 && batchtest.Compare(typ, sorted[i], sorted[i-1]) == 0 {
			return nil, ErrOpen // the order of -0.0 and 0.0
		}
		if f, ok := sorted[i].(float64); ok && f != f && a.Param <= 16 {
			sorted[i] = math.Float64frombits(0x7ff8 << 48) // as max puts it out; more values come as they are
		}
	}
	return listOf(typ, sorted[:min(len(sorted), int(a.Param))])
}

// listOf encodes a list: twice its length, plus one where there are nulls, of which a bitmap then tells, and its values.
func listOf(typ batch.Type, vals []any) (any, error) {
	if len(vals) == 0 {
		return nil, nil
	}
	bits, nulls := make([]byte, (len(vals)+7)/8), uint64(0)
	var data []byte
	for i, v := range vals {
		if v == nil {
			nulls = 1
			continue
		}
		bits[i/8] |= 1 << (i % 8)
		var err error
		if data, err = appendElement(data, typ, v); err != nil {
			return nil, err
		}
	}
	out := binary.AppendUvarint(nil, uint64(len(vals))*2+nulls)
	if nulls == 1 {
		out = append(out, bits...)
	}
	return string(append(out, data...)), nil
}

func appendElement(b []byte, typ batch.Type, v any) ([]byte, error) {
	width := typ.StoredWidth()
	if typ.ID == batch.Float16 {
		width = 4
	}
	var word uint64
	switch x := v.(type) {
	case bool:
		if x {
			word = 1
		}
	case int64:
		word = uint64(x)
	case float64:
		if word = math.Float64bits(x); width == 4 {
			word = uint64(math.Float32bits(float32(x)))
		}
	case batch.Int128:
		return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(b, x.Lo), uint64(x.Hi)), nil
	case string:
		if typ.ID == batch.String || typ.ID == batch.Binary {
			b = binary.AppendUvarint(b, uint64(len(x)))
		}
		return append(b, x...), nil
	default:
		return nil, fmt.Errorf("no reference for lists of %s", typ)
	}
	for range width {
		b = append(b, byte(word))
		word >>= 8
	}
	return b, nil
}
