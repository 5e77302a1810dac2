package spillfile

import (
	"slices"

	"pqjoin/batch"
)

// colSpec is what a store knows about a column for good.
type colSpec struct {
	kind    batch.Kind
	width   int  // bytes of a row in a tail; the length or the code of the value for KindBytes
	narrow  bool // float64 that may be exactly a float32
	varIdx  int  // position among the columns of KindBytes, or -1
	ordinal int
}

func columnsOf(schema *batch.Schema) (cols []colSpec, vars int) {
	for i, f := range schema.Fields {
		c := colSpec{kind: f.Type.Kind(), varIdx: -1, ordinal: i}
		c.width = c.kind.Width()
		c.narrow = f.Type.ID == batch.Float32 || f.Type.ID == batch.Float16
		if c.kind == batch.KindBytes {
			c.width, c.varIdx = 4, vars
			vars++
		}
		cols = append(cols, c)
	}
	return cols, vars
}

// layout says where columns lie in a tail: column c of a tail with room for n rows
// begins at off[c]*n, its validity bytes (where it has had a null) at valid[c]*n.
type layout struct {
	off   []int
	valid []int  // -1: no null so far
	codes []bool // by column of variable width: its rows are codes
	flat  int    // columns of variable width whose bytes lie in the heap
	row   int    // bytes of a row, bytes of variable width apart
	rows  int    // most rows of a block
}

// rowStep is what room in tails is rounded to, so that every column is aligned.
const rowStep = 16

func newLayout(cols []colSpec, nullable, codes []bool, blockBytes int) *layout {
	l := &layout{off: make([]int, len(cols)), valid: make([]int, len(cols)), codes: slices.Clone(codes)}
	for _, coded := range codes {
		if !coded {
			l.flat++
		}
	}
	for i, c := range cols {
		l.off[i] = l.row
		l.row += c.width
	}
	for i := range cols {
		l.valid[i] = -1
		if nullable[i] {
			l.valid[i] = l.row
			l.row++
		}
	}
	l.rows = batch.Rows
	if l.row > 0 {
		l.rows = min(l.rows, max(rowStep, blockBytes/l.row/rowStep*rowStep))
	}
	return l
}
