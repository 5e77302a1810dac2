package nested

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"pqjoin/batch"
)

// ErrMalformed marks bytes that are no value of their type.
var ErrMalformed = errors.New("malformed nested value")

// Visitor is shown the parts of a value in their order. An error ends the walk.
type Visitor interface {
	// Begin opens a list of n elements, a map of n entries or a struct of n fields.
	Begin(t *Type, n int) error
	// Item comes before each child of an open t: element i, field i, of a map's entry k its key (2k) and its value (2k+1).
	Item(t *Type, i int) error
	// End closes what Begin opened.
	End(t *Type) error
	// Null is a null child; t is what it would be.
	Null(t *Type) error
	// Leaf is a value: row 0 of c, until the call returns. A leaf of the type has the same c, with the
	// same memory for fixed widths, in all calls of a Walker, so that what formats c may be made once.
	Leaf(t *Type, c *batch.Column) error
}

// Walker walks over values of one type.
type Walker struct {
	t      *Type
	leaves map[*Type]*batch.Column
}

// NewWalker returns a walker over values of type t.
func NewWalker(t *Type) *Walker {
	w := &Walker{t: t, leaves: map[*Type]*batch.Column{}}
	w.prepare(t)
	return w
}

func (w *Walker) prepare(t *Type) {
	if t.Kind == Leaf {
		c := &batch.Column{Type: t.Leaf, N: 1}
		if n := t.Leaf.Kind().Width(); n > 0 {
			c.Fixed = batch.BytesOf(make([]uint64, 2))[:n]
		} else {
			c.Off = make([]uint32, 2)
		}
		w.leaves[t] = c
	}
	for i := range t.Fields {
		w.prepare(t.Fields[i].Type)
	}
}

// LeafColumn returns the column that Leaf is called with for the leaf t of the walker's type.
func (w *Walker) LeafColumn(t *Type) *batch.Column { return w.leaves[t] }

// Walk shows v the value b. The error wraps ErrMalformed where b is none, or is v's.
func (w *Walker) Walk(b []byte, v Visitor) error {
	rest, err := w.walk(w.t, b, v)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%w: %d bytes follow it", ErrMalformed, len(rest))
	}
	return err
}

func (w *Walker) walk(t *Type, b []byte, v Visitor) (rest []byte, err error) {
	switch t.Kind {
	case Leaf:
		c := w.leaves[t]
		if b, err = setLeaf(c, b); err != nil {
			return nil, err
		}
		return b, v.Leaf(t, c)
	case Struct:
		return w.walkStruct(t, b, v)
	}
	return w.walkItems(t, b, v)
}

func (w *Walker) walkStruct(t *Type, b []byte, v Visitor) ([]byte, error) {
	n, bit := t.BitmapLen(), 0
	if len(b) < n {
		return nil, errEnds(t)
	}
	valid, b := b[:n], b[n:]
	if err := v.Begin(t, len(t.Fields)); err != nil {
		return nil, err
	}
	for i := range t.Fields {
		f := &t.Fields[i]
		if err := v.Item(t, i); err != nil {
			return nil, err
		}
		present := true
		if f.Nullable {
			present = valid[bit>>3]>>(bit&7)&1 == 1
			bit++
		}
		var err error
		if b, err = w.child(f.Type, present, b, v); err != nil {
			return nil, err
		}
	}
	return b, v.End(t)
}

func (w *Walker) child(t *Type, present bool, b []byte, v Visitor) ([]byte, error) {
	if !present {
		return b, v.Null(t)
	}
	return w.walk(t, b, v)
}

func (w *Walker) walkItems(t *Type, b []byte, v Visitor) ([]byte, error) {
	l, err := openItems(b)
	if err != nil {
		return nil, err
	}
	if err := v.Begin(t, l.n); err != nil {
		return nil, err
	}
	last := &t.Fields[len(t.Fields)-1]
	if l.valid != nil && !last.Nullable {
		return nil, fmt.Errorf("%w: a null in a %s", ErrMalformed, t)
	}
	b = l.rest
	for i := range l.n {
		at := i
		if t.Kind == Map {
			at = 2 * i
			if err := v.Item(t, at); err != nil {
				return nil, err
			}
			if b, err = w.walk(t.Fields[0].Type, b, v); err != nil {
				return nil, err
			}
			at++
		}
		if err := v.Item(t, at); err != nil {
			return nil, err
		}
		if b, err = w.child(last.Type, l.present(i), b, v); err != nil {
			return nil, err
		}
	}
	return b, v.End(t)
}

// items is the header of a list or a map.
type items struct {
	n     int
	valid []byte // nil: no nulls
	rest  []byte
}

func (l *items) present(i int) bool {
	return l.valid == nil || l.valid[i>>3]>>(i&7)&1 == 1
}

// openItems reads the header at the beginning of b. Its count is at most eight times as many as b has bytes.
func openItems(b []byte) (l items, err error) {
	v, k := binary.Uvarint(b)
	n := v >> 1
	if k <= 0 || n > math.MaxInt32*8 {
		return l, fmt.Errorf("%w: a count that is none", ErrMalformed)
	}
	l = items{n: int(n), rest: b[k:]}
	if v&1 == 0 {
		if n > uint64(len(l.rest)) {
			return l, fmt.Errorf("%w: %d elements in %d bytes", ErrMalformed, n, len(l.rest))
		}
		return l, nil
	}
	m := batch.BitmapLen(l.n)
	if m > len(l.rest) || l.n == 0 {
		return l, fmt.Errorf("%w: %d elements in %d bytes", ErrMalformed, n, len(l.rest))
	}
	l.valid, l.rest = l.rest[:m], l.rest[m:]
	return l, nil
}

// Header reads the beginning of a list or a map: its elements or entries, which of them (of entries, of their
// values) are not null, nil where all are, and what follows.
func Header(b []byte) (n int, valid, rest []byte, err error) {
	l, err := openItems(b)
	return l.n, l.valid, l.rest, err
}

func errEnds(t *Type) error { return fmt.Errorf("%w: a %s ends too early", ErrMalformed, t) }

// CutLeaf returns the leaf at the beginning of b, without its length, and what follows it.
func CutLeaf(t batch.Type, b []byte) (v, rest []byte, err error) {
	n := LeafWidth(t)
	if n == 0 {
		size, k := binary.Uvarint(b)
		if k <= 0 || size > uint64(len(b)-k) {
			return nil, nil, fmt.Errorf("%w: a %s of %d bytes in %d", ErrMalformed, t, size, len(b))
		}
		b = b[k:]
		n = int(size)
	}
	if len(b) < n {
		return nil, nil, fmt.Errorf("%w: a %s in %d bytes", ErrMalformed, t, len(b))
	}
	return b[:n], b[n:], nil
}

// setLeaf makes row 0 of c the leaf at the beginning of b.
func setLeaf(c *batch.Column, b []byte) ([]byte, error) {
	v, rest, err := CutLeaf(c.Type, b)
	if err != nil {
		return nil, err
	}
	switch c.Type.Kind() {
	case batch.KindBytes:
		c.Data, c.Off[1] = v, uint32(len(v))
	case batch.KindBool:
		c.Fixed[0] = v[0] & 1
	case batch.KindInt128:
		copy(c.Fixed, v)
	default:
		binary.NativeEndian.PutUint64(c.Fixed, Wide(c.Type, v))
	}
	return rest, nil
}

// Wide returns an encoded number as a column holds it in 8 bytes.
func Wide(t batch.Type, b []byte) uint64 {
	signed := !t.IsUnsigned()
	switch len(b) {
	case 1:
		if signed {
			return uint64(int8(b[0]))
		}
		return uint64(b[0])
	case 2:
		v := binary.LittleEndian.Uint16(b)
		if signed {
			return uint64(int16(v))
		}
		return uint64(v)
	case 4:
		v := binary.LittleEndian.Uint32(b)
		switch {
		case t.IsFloat():
			return math.Float64bits(float64(math.Float32frombits(v)))
		case signed:
			return uint64(int32(v))
		}
		return uint64(v)
	}
	return binary.LittleEndian.Uint64(b)
}

// Skip returns what follows the value of type t at the beginning of b.
func Skip(t *Type, b []byte) ([]byte, error) {
	switch t.Kind {
	case Leaf:
		_, rest, err := CutLeaf(t.Leaf, b)
		return rest, err
	case Struct:
		n, bit := t.BitmapLen(), 0
		if len(b) < n {
			return nil, errEnds(t)
		}
		valid, b := b[:n], b[n:]
		for i := range t.Fields {
			f := &t.Fields[i]
			if f.Nullable {
				bit++
				if valid[(bit-1)>>3]>>((bit-1)&7)&1 == 0 {
					continue
				}
			}
			var err error
			if b, err = Skip(f.Type, b); err != nil {
				return nil, err
			}
		}
		return b, nil
	}
	l, err := openItems(b)
	if err != nil {
		return nil, err
	}
	return l.skip(t)
}

// skip returns what follows a list or map.
func (l *items) skip(t *Type) (b []byte, err error) {
	last := t.Fields[len(t.Fields)-1].Type
	b = l.rest
	for i := range l.n {
		if t.Kind == Map {
			if b, err = Skip(t.Fields[0].Type, b); err != nil {
				return nil, err
			}
		}
		if l.present(i) {
			if b, err = Skip(last, b); err != nil {
				return nil, err
			}
		}
	}
	return b, nil
}
