package gen

import (
	"math"
	"strconv"

	"pqjoin/batch"
	"pqjoin/mem"
)

// rows is a run of rows to be made.
type rows struct {
	from int64 // number of the first, in the table
	n    int
	ids  [][]int64 // by id
}

// idFunc sets dst to an id of the rows; it may use the ids before it.
type idFunc func(r *rows, dst []int64)

// column is how the values of a column are made. One of words, text and code says
// how; without any all values are null.
type column struct {
	name string
	typ  batch.Type

	words func(r *rows, dst []uint64) // values of eight bytes, by their bits

	text    func(r *rows, i int, dst []byte) []byte // appends the value of row r.from+i
	longest int                                     // bytes of a text

	code   func(r *rows, dst []uint32) // indexes into choice
	choice []string

	null func(r *rows, i int) bool // nil: none are
}

// plain says whether fastparquet's plain pages can hold the column.
func (c *column) plain() bool {
	return c.words != nil && c.null == nil && (c.typ.ID == batch.Int64 || c.typ.ID == batch.Float64)
}

// dict returns the column of the choices, nil where there are none.
func (c *column) dict(acct *mem.Account) (*batch.Column, error) {
	if c.choice == nil {
		return nil, nil
	}
	size := 0
	for _, s := range c.choice {
		size += len(s)
	}
	d, err := batch.NewVar(acct, c.typ, len(c.choice), size)
	if err != nil {
		return nil, err
	}
	at := uint32(0)
	for i, s := range c.choice {
		d.Off[i] = at
		at += uint32(copy(d.Data[at:], s))
	}
	d.Off[len(c.choice)] = at
	return d, nil
}

// make returns the rows' values.
func (c *column) make(acct *mem.Account, dict *batch.Column, r *rows) (*batch.Column, error) {
	col, err := c.values(acct, dict, r)
	if err != nil || c.null == nil {
		return col, err
	}
	if err := col.NewValid(acct); err != nil {
		col.Release()
		return nil, err
	}
	for i := range r.n {
		if !c.null(r, i) {
			col.Valid[i>>3] |= 1 << (i & 7)
		}
	}
	return col.SetNulls(), nil
}

func (c *column) values(acct *mem.Account, dict *batch.Column, r *rows) (*batch.Column, error) {
	switch {
	case c.words != nil:
		col, err := batch.NewFixed(acct, c.typ, r.n)
		if err == nil && r.n > 0 {
			c.words(r, batch.View[uint64](col.Fixed))
		}
		return col, err
	case c.code != nil:
		col, err := batch.NewCodes(acct, dict.Retain(), r.n)
		if err != nil {
			dict.Release()
			return nil, err
		}
		c.code(r, col.Codes)
		return col, nil
	case c.text != nil:
		return c.texts(acct, r)
	}
	return batch.AllNull(acct, c.typ, r.n)
}

func (c *column) texts(acct *mem.Account, r *rows) (*batch.Column, error) {
	col, err := batch.NewVar(acct, c.typ, r.n, r.n*c.longest)
	if err != nil {
		return nil, err
	}
	dst := col.Data[:0]
	for i := range r.n {
		col.Off[i] = uint32(len(dst))
		dst = c.text(r, i, dst)
	}
	col.Off[r.n] = uint32(len(dst))
	col.Data = dst
	return col, nil
}

// Makers of columns that several tables have.

// whole is a column of whole numbers, uniform in [lo, hi).
func whole(name string, typ batch.Type, s stream, lo, hi int64) column {
	return column{name: name, typ: typ, words: func(r *rows, dst []uint64) {
		for i := range dst {
			dst[i] = uint64(lo + s.below(r.from+int64(i), hi-lo))
		}
	}}
}

// double is a column of doubles, uniform in [0, hi).
func double(name string, s stream, hi float64) column {
	return column{name: name, typ: batch.Of(batch.Float64), words: func(r *rows, dst []uint64) {
		for i := range dst {
			dst[i] = math.Float64bits(s.unit(r.from+int64(i)) * hi)
		}
	}}
}

// rounded is a column of doubles, uniform in [0, 100) with six decimals, each the double that is next to its decimal.
func rounded(name string, s stream) column {
	return column{name: name, typ: batch.Of(batch.Float64), words: func(r *rows, dst []uint64) {
		for i := range dst {
			dst[i] = math.Float64bits(float64(s.below(r.from+int64(i), 100_000_000)) / 1e6)
		}
	}}
}

// number is the column of an id.
func number(name string, typ batch.Type, id int) column {
	return column{name: name, typ: typ, words: func(r *rows, dst []uint64) { copy(dst, batch.View[uint64](batch.BytesOf(r.ids[id]))) }}
}

// mostChoices is up to how many values an id's texts are made once.
const mostChoices = 1 << 14

// label is the column of an id in [1, n], as the prefix and at least so many digits. An id of 0 is for rows that are null.
func label(name, prefix string, digits, id int, n int64) column {
	c := column{name: name, typ: batch.Of(batch.String), longest: len(prefix) + max(digits, len(strconv.FormatInt(n, 10)))}
	if n > mostChoices {
		c.text = func(r *rows, i int, dst []byte) []byte {
			return appendDigits(append(dst, prefix...), r.ids[id][i], digits)
		}
		return c
	}
	for v := range n + 1 {
		c.choice = append(c.choice, string(appendDigits([]byte(prefix), v, digits)))
	}
	c.code = func(r *rows, dst []uint32) {
		for i := range dst {
			dst[i] = uint32(r.ids[id][i])
		}
	}
	return c
}

// appendDigits appends v, which is not negative, with at least so many digits.
func appendDigits(dst []byte, v int64, digits int) []byte {
	var d [20]byte
	at := len(d)
	for ; v > 0 || digits > 0; digits-- {
		at--
		d[at] = byte('0' + v%10)
		v /= 10
	}
	return append(dst, d[at:]...)
}

// pick is a column of one of some texts, each as likely.
func pick(name string, s stream, choice ...string) column {
	return column{name: name, typ: batch.Of(batch.String), choice: choice, code: func(r *rows, dst []uint32) {
		for i := range dst {
			dst[i] = uint32(s.below(r.from+int64(i), int64(len(choice))))
		}
	}}
}
