package groupby

import (
	"pqjoin/batch"
	"pqjoin/mem"
)

// chunkBytes is a chunk of rows that wait: large enough to be worked on in one go, small enough that each partition and worker has one.
const chunkBytes = 32 << 10

// chunkForm is how rows lie in a chunk: the words of their keys row by row, then each column that an aggregate reads, then, of
// those that may be null, a bitmap of the rows that have a value.
type chunkForm struct {
	lay  *layout
	rows int // of a chunk, a multiple of 64
	size int // bytes of its buffer
	cols []chunkCol
}

type chunkCol struct {
	col   int // in layout.raw
	typ   batch.Type
	width int
	at    int // where its values begin
	valid int // where its bitmap begins; 0: none
}

// chunkRows is a chunk with its first n rows in use. nulls has a bit for each column of the form whose bitmap says which are null: of
// others it is not looked at, and all are values.
type chunkRows struct {
	buf   *mem.Buf
	n     int
	nulls uint64
}

// newChunkForm returns the form of rows of a layout, and false where they do not have one: an aggregate reads strings, or rows are very wide.
func newChunkForm(lay *layout) (chunkForm, bool) {
	f := chunkForm{lay: lay}
	used := make([]bool, len(lay.raw.Fields))
	for i := range lay.aggs {
		a := &lay.aggs[i]
		for _, t := range a.columns() {
			if t.Kind() == batch.KindBytes {
				return f, false
			}
		}
		for _, c := range []int{a.arg, a.arg2, a.filter, a.weight} {
			if c >= 0 {
				used[c] = true
			}
		}
	}
	if lay.posCol >= 0 {
		used[lay.posCol] = true
	}
	bits := 64 * lay.keys.words
	for c, field := range lay.raw.Fields {
		width := field.Type.Kind().Width()
		if !used[c] {
			continue
		}
		if width == 0 || len(f.cols) == 64 {
			return f, false
		}
		f.cols = append(f.cols, chunkCol{col: c, typ: field.Type, width: width})
		bits += 8*width + 1
	}
	f.rows = 8 * chunkBytes / bits &^ 63
	f.place()
	return f, f.rows > 0
}

// place says where everything lies.
func (f *chunkForm) place() {
	at := 8 * f.lay.keys.words * f.rows
	for i := range f.cols {
		f.cols[i].at = at
		at += f.rows * f.cols[i].width
	}
	for i := range f.cols {
		if f.lay.raw.Fields[f.cols[i].col].Nullable {
			f.cols[i].valid = at
			at += f.rows / 8
		}
	}
	f.size = mem.ClassSize(at)
}

func (f *chunkForm) alloc(acct *mem.Account) (*chunkRows, error) {
	buf, err := acct.Alloc(f.size)
	if err != nil {
		return nil, err
	}
	return &chunkRows{buf: buf}, nil
}

// words returns the keys of a chunk's rows.
func (f *chunkForm) words(c *chunkRows) []uint64 {
	return batch.View[uint64](c.buf.Bytes())[:c.n*f.lay.keys.words]
}

// fill adds rows idx of b, whose keys' words are in keys, to a chunk that has room for them: about 1 ns a word.
func (f *chunkForm) fill(c *chunkRows, b *batch.Batch, keys []uint64, idx []uint32) {
	raw := c.buf.Bytes()
	at := c.n
	c.n += len(idx)
	fillWords(batch.View[uint64](raw)[at*f.lay.keys.words:c.n*f.lay.keys.words], keys, f.lay.keys.words, idx)
	for i := range f.cols {
		col, src := &f.cols[i], b.Cols[f.cols[i].col]
		dst := raw[col.at+at*col.width : col.at+c.n*col.width]
		switch col.width {
		case 1:
			fillFixed(dst, src.Fixed, idx)
		case 8:
			fillFixed(batch.View[uint64](dst), batch.View[uint64](src.Fixed), idx)
		default:
			fillFixed(batch.View[batch.Int128](dst), batch.View[batch.Int128](src.Fixed), idx)
		}
		if col.valid == 0 || src.Valid == nil && c.nulls>>i&1 == 0 {
			continue
		}
		valid := raw[col.valid : col.valid+f.rows/8]
		if c.nulls>>i&1 == 0 {
			c.nulls |= 1 << i
			setBits(valid, at)
		}
		fillValid(valid, at, src.Valid, idx)
	}
}

func fillWords(dst, src []uint64, words int, idx []uint32) {
	switch words {
	case 1:
		fillFixed(dst, src, idx)
	case 2:
		for i, r := range idx {
			*(*[2]uint64)(dst[2*i:]) = *(*[2]uint64)(src[2*int(r):])
		}
	case 3:
		for i, r := range idx {
			*(*[3]uint64)(dst[3*i:]) = *(*[3]uint64)(src[3*int(r):])
		}
	default:
		for i, r := range idx {
			copy(dst[i*words:(i+1)*words], src[int(r)*words:])
		}
	}
}

func fillFixed[T byte | uint64 | batch.Int128](dst, src []T, idx []uint32) {
	dst = dst[:len(idx)]
	for i, r := range idx {
		dst[i] = src[r]
	}
}

// setBits sets the first n bits of a bitmap and clears the rest.
func setBits(dst []byte, n int) {
	clear(dst)
	for i := range n / 8 {
		dst[i] = 0xff
	}
	if n%8 > 0 {
		dst[n/8] = 1<<(n%8) - 1
	}
}

// fillValid sets the bits of dst from at on, which are clear, to those of rows idx in valid, where nil is all.
func fillValid(dst []byte, at int, valid []byte, idx []uint32) {
	for i, r := range idx {
		v := byte(1)
		if valid != nil {
			v = valid[r>>3] >> (r & 7) & 1
		}
		dst[(at+i)>>3] |= v << ((at + i) & 7)
	}
}

// batch returns the rows of a chunk as a batch of layout.raw, of which only the columns that aggregates read are there. It borrows
// from the chunk.
func (f *chunkForm) batch(c *chunkRows) *batch.Batch {
	raw := c.buf.Bytes()
	out := &batch.Batch{Schema: f.lay.raw, N: c.n, Cols: make([]*batch.Column, len(f.lay.raw.Fields))}
	for i := range f.cols {
		col := &f.cols[i]
		x := &batch.Column{Type: col.typ, N: c.n, Fixed: raw[col.at : col.at+c.n*col.width]}
		if c.nulls>>i&1 == 1 {
			x.Valid = raw[col.valid : col.valid+f.rows/8]
			x.SetNulls()
		}
		out.Cols[col.col] = x
	}
	return out
}
