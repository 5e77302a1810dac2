package jsonl

import (
	"pqjoin/batch"
	"pqjoin/tableio/text"
)

// guess narrows down the type of a column as values pass. Numbers are int64, decimal(20, 0) where one is beyond that and
// none beyond uint64, else float64; strings may be dates or timestamps; a column of several kinds is text.
type guess struct {
	kinds [kindNested + 1]bool
	big   bool // an integer beyond int64, and within uint64
	huge  bool // one beyond both
	texts text.Guess
	dates bool // there was a date without a time
	bytes int64
	done  bool // it is text
}

// see takes a value that is not null into account.
func (g *guess) see(sp text.Span, buf []byte, k kind) {
	p := sp.Bytes(buf)
	g.bytes += int64(len(p))
	g.kinds[k] = true
	switch {
	case g.done:
	case k == kindInt:
		if _, ok := text.ParseInt(p); !ok {
			if _, ok := text.ParseUint(p); ok {
				g.big = true
			} else {
				g.huge = true
			}
		}
	case k == kindString && sp.Len&text.Escaped != 0:
		g.done = true // no date has escapes
	case k == kindString:
		g.texts.See(p)
		t := g.texts.Type().ID
		g.done = t != batch.Date && t != batch.Timestamp
		if !g.done && len(p) <= len("2024-01-01") {
			g.dates = true
		}
	}
}

// typ returns the type that fits all values; Null where there were none.
func (g *guess) typ() batch.Type {
	numbers := g.kinds[kindInt] || g.kinds[kindFloat]
	kinds := 0
	for _, is := range []bool{g.kinds[kindBool], numbers, g.kinds[kindString], g.kinds[kindNested]} {
		if is {
			kinds++
		}
	}
	switch {
	case kinds == 0:
		return batch.Of(batch.Null)
	case kinds > 1 || g.kinds[kindNested]:
	case g.kinds[kindBool]:
		return batch.Of(batch.Bool)
	case g.kinds[kindFloat] || g.huge:
		return batch.Of(batch.Float64)
	case g.big:
		return batch.DecimalOf(20, 0)
	case g.kinds[kindInt]:
		return batch.Of(batch.Int64)
	case !g.done:
		t := g.texts.Type()
		if t.ID == batch.Date || t.ID == batch.Timestamp && !g.dates {
			return t
		}
	}
	return batch.Of(batch.String)
}
