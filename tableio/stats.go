package tableio

import (
	"pqjoin/batch"
)

// ColumnStats is what the files say of a column of the whole table; text says nothing but how long values are.
type ColumnStats struct {
	Nulls     int64   // rows that are null; -1 where a footer does not say
	HasRange  bool    // Min and Max hold, for columns of KindInt64
	Min, Max  int64   // bounds of the values
	MeanBytes float64 // raw bytes a row in the files; dictionaries make it smaller than the values are
}

// ColumnStats sums up the footers for the column at position col of the schema.
func (t *Table) ColumnStats(col int) ColumnStats {
	out := ColumnStats{HasRange: t.schema.Fields[col].Type.Kind() == batch.KindInt64}
	raw, first := int64(0), true
	for _, u := range t.units {
		m := t.maps[u.File][col]
		if m.value != nil {
			out.addConstant(m.value, u.Rows, &first)
			continue
		}
		if m.from < 0 {
			if out.Nulls >= 0 {
				out.Nulls += u.Rows
			}
			continue
		}
		raw += t.files[u.File].RowBytes(u.Group, m.from)
		f, ok := t.files[u.File].(parquetFile)
		if !ok {
			out.Nulls, out.HasRange = -1, false
			continue
		}
		c := f.RowGroups()[u.Group].Columns[m.from]
		if !c.Stats.HasNulls {
			out.Nulls = -1
		} else if out.Nulls >= 0 {
			out.Nulls += c.Stats.Nulls
		}
		if c.Stats.HasNulls && c.Stats.Nulls == u.Rows {
			continue
		}
		from, to := t.files[u.File].Schema().Fields[m.from].Type, t.schema.Fields[col].Type
		if !c.Stats.HasMinMax || !sameBounds(from, to) || to.ID == batch.Uint64 && c.Stats.Max.Int < 0 {
			out.HasRange = false
			continue
		}
		if first {
			out.Min, out.Max, first = c.Stats.Min.Int, c.Stats.Max.Int, false
		}
		out.Min, out.Max = min(out.Min, c.Stats.Min.Int), max(out.Max, c.Stats.Max.Int)
	}
	if t.rows > 0 {
		out.MeanBytes = float64(raw) / float64(t.rows)
	}
	out.HasRange = out.HasRange && !first
	return out
}

// MostBytes returns the most bytes that a value of the column at position col of the schema can have, as the footers tell, or -1
// where they do not: text, Arrow, nested columns. A value is no longer than its chunk, and twice that as the text of bytes.
func (t *Table) MostBytes(col int) int64 {
	most := int64(0)
	for _, u := range t.units {
		m := t.maps[u.File][col]
		switch f, ok := t.files[u.File].(parquetFile); {
		case m.value != nil:
			most = max(most, int64(len(m.value.val.Bytes)))
		case m.from < 0: // nulls
		case !ok || f.Schema().Fields[m.from].Type.ID == batch.Nested:
			return -1
		default:
			most = max(most, 3*f.RowGroups()[u.Group].Columns[m.from].RawBytes)
		}
	}
	return most + 4
}

// addConstant takes rows that all have one value into account.
func (s *ColumnStats) addConstant(c *constant, rows int64, first *bool) {
	if c.one == nil {
		if s.Nulls >= 0 {
			s.Nulls += rows
		}
		return
	}
	if *first {
		s.Min, s.Max, *first = c.val.Int, c.val.Int, false
	}
	s.Min, s.Max = min(s.Min, c.val.Int), max(s.Max, c.val.Int)
}
