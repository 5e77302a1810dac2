package hashjoin

import (
	"fmt"
	"strings"

	"pqjoin/batch"
	"pqjoin/mem"
)

// keyMode is how keys are held in tables.
type keyMode uint8

const (
	oneWord   keyMode = iota + 1 // one column of at most 8 bytes, as an order-preserving word
	manyWords                    // several columns that pack into 8 bytes
	hashed                       // anything: the hash, and the columns are compared
)

// keyer extracts the keys of one side. Both sides of a join use keyers of the same mode.
type keyer struct {
	mode       keyMode
	cols       []int
	enc        *batch.KeyEncoder // manyWords
	nullsEqual bool
}

// newKeyer returns a keyer of the columns cols of schema. With types of other, the other
// side's key fields, columns are nullable where they are on either side, so that both sides encode alike.
func newKeyer(schema *batch.Schema, cols []int, other []batch.Field, nullsEqual bool) (*keyer, error) {
	k := &keyer{mode: hashed, cols: cols, nullsEqual: nullsEqual}
	fields, order := make([]batch.Field, len(cols)), make([]batch.SortKey, len(cols))
	for i, c := range cols {
		fields[i] = schema.Fields[c]
		if fields[i].Type != other[i].Type {
			return nil, fmt.Errorf("join keys %q and %q are %s and %s", fields[i].Name, other[i].Name, fields[i].Type, other[i].Type)
		}
		fields[i].Nullable = fields[i].Nullable || other[i].Nullable
		order[i] = batch.SortKey{Column: i}
	}
	enc, err := batch.NewKeyEncoder(batch.NewSchema(fields...), order)
	if err != nil {
		return nil, err
	}
	if w := enc.Width(); len(cols) == 1 && fields[0].Type.Kind() != batch.KindBytes && fields[0].Type.Kind() != batch.KindInt128 {
		k.mode = oneWord
	} else if w > 0 && w <= 8 {
		k.mode, k.enc = manyWords, enc
	}
	return k, nil
}

// keys is the keys of the rows of one batch: a word or a hash a row. Rows with a null in their
// key are set apart where nulls match nothing, and where the key is one column.
type keys struct {
	n     int
	words []uint64
	apart []byte // 1 where the row is set apart; nil where none is
	cols  []*batch.Column
	buf   *mem.Buf
	enc   *batch.Keys
}

func (k *keys) release() {
	k.buf.Release()
	k.enc.Release()
	*k = keys{}
}

// extract returns the keys of b, whose columns it borrows; h may remember dictionaries.
func (k *keyer) extract(acct *mem.Account, b *batch.Batch, h *batch.Hasher) (keys, error) {
	cols := make([]*batch.Column, len(k.cols))
	nulls := 0
	for i, c := range k.cols {
		cols[i] = b.Cols[c]
		nulls += cols[i].Nulls
	}
	return k.extractCols(acct, cols, b.N, nulls, h)
}

func (k *keyer) extractCols(acct *mem.Account, cols []*batch.Column, n, nulls int, h *batch.Hasher) (keys, error) {
	out := keys{n: n, cols: cols}
	apart := nulls > 0 && (!k.nullsEqual || len(cols) == 1)
	size := 0
	if k.mode != manyWords {
		size = 8 * n
	}
	if apart {
		size += n
	}
	var err error
	if out.buf, err = acct.Alloc(size); err != nil {
		return keys{}, err
	}
	b := out.buf.Bytes()
	if apart {
		out.apart = b[size-n:]
		markNulls(out.apart, cols)
	}
	switch k.mode {
	case oneWord:
		out.words = batch.View[uint64](b[:8*n])
		batch.OrderWords(cols[0], false, 0, out.words)
	case hashed:
		out.words = batch.View[uint64](b[:8*n])
		h.Hash(cols, out.words)
	case manyWords:
		if out.enc, err = k.enc.Encode(acct, cols, n); err != nil {
			out.release()
			return keys{}, err
		}
		if out.words, _ = out.enc.Fixed(); len(out.words) != n {
			panic("hashjoin: keys that fit a word are not words")
		}
	}
	return out, nil
}

// markNulls sets m to 1 where any column is null.
func markNulls(m []byte, cols []*batch.Column) {
	clear(m)
	for _, c := range cols {
		if c.Nulls == 0 {
			continue
		}
		for i := range m {
			m[i] |= 1 ^ c.Valid[i>>3]>>(i&7)&1
		}
	}
}

// mix is murmur3's finaliser: every bit of x moves every bit of the result.
func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// renderKey writes a key as messages do: sym = "A", day = 2024-01-02.
func renderKey(columns, values []string) string {
	var b strings.Builder
	for i := range columns {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s = %s", columns[i], values[i])
	}
	return b.String()
}
