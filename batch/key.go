package batch

import "fmt"

// SortKey is one column of a sort order.
//
// Nulls come last, or first with NullsFirst, whether Desc is set or not: Desc turns the
// values around and never the place of the nulls. (DuckDB's default is the same: nulls
// last for ASC and for DESC.) NaN is greater than every number and so comes first
// among the values of a descending key.
type SortKey struct {
	Column     int // position in the schema
	Desc       bool
	NullsFirst bool
}

// KeyColumns returns the columns of the keys, in key order, borrowed from b.
func KeyColumns(b *Batch, keys []SortKey) []*Column {
	cols := make([]*Column, len(keys))
	for i, k := range keys {
		cols[i] = b.Cols[k.Column]
	}
	return cols
}

// KeyPositions returns the positions of the keys' columns, in key order.
func KeyPositions(keys []SortKey) []int {
	cols := make([]int, len(keys))
	for i, k := range keys {
		cols[i] = k.Column
	}
	return cols
}

// OrderWords fills x with the order-preserving words of the rows of c from lo on, for the
// kinds of at most 8 bytes: unsigned order of the words is the order of the values, reversed
// where desc is set. The words of null rows are unspecified.
func OrderWords(c *Column, desc bool, lo int, x []uint64) {
	rawWords(c, lo, x)
	flip := uint64(0)
	if desc {
		flip = ^flip
	}
	switch {
	case c.Type.Kind() == KindFloat64:
		canonicalFloats(x)
		for i, w := range x {
			x[i] = orderFloat(w) ^ flip
		}
		return
	case c.Type.Kind() == KindInt64 && !c.Type.IsUnsigned():
		flip ^= 1 << 63
	}
	if flip == 0 {
		return
	}
	for i := range x {
		x[i] ^= flip
	}
}

// keyPart is one column of a normalised key.
type keyPart struct {
	typ      Type
	desc     bool
	nullable bool
	null     byte // the flag of a null row; a row with a value has flag 1
	last     bool
	width    int // bytes of a value without the flag; 0 where it varies
}

func (p *keyPart) flag() int {
	if p.nullable {
		return 1
	}
	return 0
}

// KeyEncoder makes normalised keys: bytes whose memcmp order is the order of a list of
// sort keys, so that one comparison serves every type. Columns follow each other:
//
//	null flag   one byte, of nullable columns only: 1 for a value, 0 or 2 for null (first, last)
//	ints        big-endian, as wide as the type is stored, the sign bit flipped; unsigned ones as they are
//	floats      8 bytes of a total order: NaN greatest, -0.0 as 0.0
//	decimals    8 or 16 bytes, as ints
//	bool        one byte
//	fixed, UUID their bytes
//	strings     0x00 as 0x00 0xff, ended by 0x00 0x00; the last column of a key, ascending, as it is
//
// A descending column's value bytes are inverted; flags are not. A null in a column of
// constant width is the flag and zeros, else the flag alone. Keys are comparable among
// all batches encoded with equal types, nullability and sort keys.
type KeyEncoder struct {
	parts []keyPart
	width int // bytes of a key; 0 where they vary
}

// NewKeyEncoder returns an encoder of keys over the schema. It fails on types that are no keys.
func NewKeyEncoder(schema *Schema, keys []SortKey) (*KeyEncoder, error) {
	e := &KeyEncoder{}
	varies := false
	for i, k := range keys {
		f := schema.Fields[k.Column]
		if !f.Type.Comparable() {
			return nil, fmt.Errorf("column %q of type %s cannot be a key", f.Name, f.Type)
		}
		p := keyPart{typ: f.Type, desc: k.Desc, nullable: f.Nullable, null: 2, last: i == len(keys)-1, width: keyWidth(f.Type)}
		if k.NullsFirst {
			p.null = 0
		}
		if p.width == 0 {
			varies = true
		}
		e.width += p.flag() + p.width
		e.parts = append(e.parts, p)
	}
	if varies {
		e.width = 0
	}
	return e, nil
}

// keyWidth returns the bytes of a value in a key; 0 where they vary.
func keyWidth(t Type) int {
	switch t.Kind() {
	case KindBool:
		return 1
	case KindInt64:
		return t.StoredWidth()
	case KindFloat64:
		return 8
	case KindInt128:
		return 16
	}
	if t.ID == Fixed || t.ID == UUID {
		return t.StoredWidth()
	}
	return 0
}

// Width returns the bytes of every key, or 0 where they vary (and for the key of no columns).
func (e *KeyEncoder) Width() int { return e.width }

// MaxBytes returns an upper bound of the pool bytes that Encode takes for cols.
func (e *KeyEncoder) MaxBytes(cols []*Column, n int) int64 {
	if e.width > 0 && e.width <= 8 {
		return int64(8 * n)
	}
	if e.width > 0 || len(e.parts) == 0 {
		return int64(e.width * n)
	}
	if len(e.parts) == 1 && e.parts[0].asItLies(cols[0]) {
		return 0
	}
	total := int64(4 * (n + 1))
	for i := range e.parts {
		if p := &e.parts[i]; p.width > 0 {
			total += int64(n * (p.flag() + p.width))
		} else {
			total += int64(n*(p.flag()+2)) + 2*DataLen(cols[i])
		}
	}
	return total
}
