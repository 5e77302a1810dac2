package nested

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"pqjoin/batch"
)

// Builder encodes values part by part, where the number of elements is not known before. Each child of
// an open list, map or struct is one call of Null, Value or Raw, or a Begin with its End; those of
// a map are key and value in turn. Bytes is what has been encoded.
//
//	b.Begin(list); b.Value(col, 0); b.Null(); b.Value(col, 1); b.End()
//
// A value of a list costs about 5 ns; Run appends many at once.
type Builder struct {
	Bytes []byte
	// Grow returns b with room for n more bytes behind it, nil for the Go heap. It is called for Bytes and
	// for a bitmap that the builder keeps (bits is true): a bit for each element of open lists that have nulls.
	Grow func(b []byte, n int, bits bool) ([]byte, error)

	open []frame
	bits []byte // of the open lists that have nulls, each from a byte's beginning
}

// frame is an open list, map or struct.
type frame struct {
	t     *Type
	at    int // where it begins in Bytes
	n     int // children so far
	bit   int // struct: fields so far that may be null
	mark  int // where its bits begin
	nulls bool
}

// Begin opens a value of type t, which is no leaf.
func (b *Builder) Begin(t *Type) error {
	if err := b.child(true); err != nil {
		return err
	}
	f := frame{t: t, at: len(b.Bytes), mark: len(b.bits)}
	room := 1 // a list's count, of up to 63 elements
	if t.Kind == Struct {
		room = t.BitmapLen()
	}
	if err := b.Room(room); err != nil {
		return err
	}
	b.Bytes = b.Bytes[:f.at+room]
	clear(b.Bytes[f.at:])
	b.open = append(b.open, f)
	return nil
}

// Room makes room for n more bytes, for who appends to Bytes what Run has counted.
func (b *Builder) Room(n int) (err error) {
	if cap(b.Bytes)-len(b.Bytes) >= n {
		return nil
	}
	if b.Grow == nil {
		b.Bytes = slices.Grow(b.Bytes, n)
		return nil
	}
	b.Bytes, err = b.Grow(b.Bytes, n, false)
	return err
}

// Null is a null child.
func (b *Builder) Null() error { return b.child(false) }

// Value is a child, row i of c; null where that is.
func (b *Builder) Value(c *batch.Column, i int) error {
	if c.IsNull(i) {
		return b.child(false)
	}
	if err := b.child(true); err != nil {
		return err
	}
	if err := b.Room(ValueSize(c, i)); err != nil {
		return err
	}
	b.Bytes = AppendValue(b.Bytes, c, i)
	return nil
}

// Raw is a child that is encoded already.
func (b *Builder) Raw(v []byte) error {
	if err := b.child(true); err != nil {
		return err
	}
	if err := b.Room(len(v)); err != nil {
		return err
	}
	b.Bytes = append(b.Bytes, v...)
	return nil
}

// Run adds n elements to the open list (one child to another open value), none of them null, that are
// encoded already.
func (b *Builder) Run(n int, v []byte) error {
	if len(b.open) == 0 {
		n = 0
	} else if f := &b.open[len(b.open)-1]; f.nulls || f.t.Kind != List {
		for range n {
			if err := b.child(true); err != nil {
				return err
			}
		}
	} else {
		f.n += n
	}
	if len(v) == 0 {
		return nil
	}
	if err := b.Room(len(v)); err != nil {
		return err
	}
	b.Bytes = append(b.Bytes, v...)
	return nil
}

// child counts a child of the innermost open value.
func (b *Builder) child(present bool) error {
	if len(b.open) == 0 {
		return nil
	}
	f := &b.open[len(b.open)-1]
	k := f.n
	f.n++
	switch f.t.Kind {
	case List:
		if f.nulls || !present {
			return b.element(f, k, present)
		}
	case Map:
		if k&1 == 1 && (f.nulls || !present) {
			return b.element(f, k>>1, present)
		}
		if k&1 == 0 && !present {
			return fmt.Errorf("%w: a key that is null", ErrMalformed)
		}
	case Struct:
		switch {
		case f.t.Fields[k].Nullable:
			if present {
				b.Bytes[f.at+f.bit>>3] |= 1 << (f.bit & 7)
			}
			f.bit++
		case !present:
			return fmt.Errorf("%w: a null in a %s", ErrMalformed, f.t)
		}
	}
	return nil
}

// element notes whether element k of a list that has nulls is one.
func (b *Builder) element(f *frame, k int, present bool) error {
	if !f.nulls {
		if !f.t.Fields[len(f.t.Fields)-1].Nullable {
			return fmt.Errorf("%w: a null in a %s", ErrMalformed, f.t)
		}
		f.nulls = true
		if err := b.roomBits(k/8 + 1); err != nil {
			return err
		}
		for range k / 8 {
			b.bits = append(b.bits, 0xff)
		}
		if r := k % 8; r > 0 {
			b.bits = append(b.bits, 1<<r-1)
		}
	}
	if k%8 == 0 {
		if err := b.roomBits(1); err != nil {
			return err
		}
		b.bits = append(b.bits, 0)
	}
	if present {
		b.bits[len(b.bits)-1] |= 1 << (k & 7)
	}
	return nil
}

func (b *Builder) roomBits(n int) (err error) {
	if b.Grow != nil && cap(b.bits)-len(b.bits) < n {
		b.bits, err = b.Grow(b.bits, n, true)
	}
	return err
}

// End closes the innermost open value. A list's count, where it is long or has nulls, moves what was encoded of it.
func (b *Builder) End() error {
	f := b.open[len(b.open)-1]
	b.open = b.open[:len(b.open)-1]
	if f.t.Kind == Struct {
		return nil
	}
	n := f.n
	if f.t.Kind == Map {
		n /= 2
	}
	if n > math.MaxInt32 {
		return fmt.Errorf("a %s of %d elements is too long", f.t, n)
	}
	head := uint64(n) << 1
	if f.nulls {
		head |= 1
	}
	bitmap := b.bits[f.mark:]
	k := uvarintLen(head)
	if more := k + len(bitmap) - 1; more > 0 {
		if err := b.Room(more); err != nil {
			return err
		}
		end := len(b.Bytes)
		b.Bytes = b.Bytes[:end+more]
		copy(b.Bytes[f.at+1+more:], b.Bytes[f.at+1:end])
		copy(b.Bytes[f.at+k:], bitmap)
		b.bits = b.bits[:f.mark]
	}
	binary.PutUvarint(b.Bytes[f.at:], head)
	return nil
}

// Reset forgets what is open, after an error, and what was encoded.
func (b *Builder) Reset() {
	b.Bytes, b.open, b.bits = b.Bytes[:0], b.open[:0], b.bits[:0]
}
