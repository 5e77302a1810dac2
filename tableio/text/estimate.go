package text

import "pqjoin/tableio/format"

// inflated is how many bytes of text a compressed byte is guessed to be.
const inflated = 4

// A Head is what was read of a file's beginning, of its text.
type Head struct {
	Rows    int64
	From, N int64 // the first row begins at byte From, and the last one ends at N
	Whole   bool  // the file ends there
}

// Estimate returns how many rows a file has of which h was read, exactly where that is all, and its units: of so many bytes each, or
// one where it is compressed.
func (in *Input) Estimate(h Head, unit int64) (rows int64, units []format.Unit) {
	rows, raw := h.Rows, h.N
	if !h.Whole {
		raw = in.size
		if in.codec != Plain {
			raw *= inflated
		}
		rows = max(1, int64(float64(raw-h.From)/float64(max(h.N-h.From, 1))*float64(rows)))
	}
	n := int64(1)
	if in.codec == Plain {
		n = max(1, (in.size+unit-1)/unit)
	}
	for i := range n {
		part := func(total int64) int64 { return total*(i+1)/n - total*i/n }
		units = append(units, format.Unit{Rows: max(1, part(rows)), Bytes: part(in.size), Raw: part(raw)})
	}
	return rows, units
}
