package spillfile

import (
	"cmp"
	"errors"
	"io"
	"math"
	"slices"
)

// place is a block as a reader knows it.
type place struct {
	block
	k *chunk
}

// piece is a segment's place: rows [from, from+rows) of a block.
type piece struct {
	unit, rows, from int32
	at               *place
}

// order yields the pieces of a partition by unit, and within a unit in the order of their blocks. Of the places on disk it holds
// only those of units near the one it is at: those that appended went through the units in ascending order, so that what the
// ledger has of a unit lies close together. Where it does not, more is held; the order is the same.
type order struct {
	places *placesReader
	held   map[int64]*chunk // chunks that lie both on disk, at that offset, and in memory
	pieces []piece          // known, those from next on in order
	next   int
	low    int32 // nothing below it is among what places still has,
	done   bool  // which has come to its end
}

// newOrder begins with what partition p, whose lock is held, has in memory.
func (s *Store) newOrder(p int) *order {
	o := &order{places: s.readPlaces(p), held: map[int64]*chunk{}, low: math.MinInt32}
	for _, k := range s.parts[p].chunks {
		if k.file != nil {
			o.held[k.off] = k
		} else {
			o.add(k)
		}
	}
	return o
}

// add enters the pieces of a chunk.
func (o *order) add(k *chunk) {
	at := make([]place, len(k.blocks))
	for i, b := range k.blocks {
		at[i] = place{block: b, k: k}
		from := int32(0)
		for _, g := range k.segs[b.seg : b.seg+b.segs] {
			o.pieces = append(o.pieces, piece{unit: g.unit, rows: g.rows, from: from, at: &at[i]})
			from += g.rows
		}
	}
}

// peek returns the next piece; nil behind the last.
func (o *order) peek() (*piece, error) {
	if !o.done && (o.next == len(o.pieces) || o.pieces[o.next].unit >= o.low) {
		if err := o.refill(); err != nil {
			return nil, err
		}
	}
	if o.next == len(o.pieces) {
		return nil, nil
	}
	return &o.pieces[o.next], nil
}

// refill reads places, page by page, until the least known unit is below all that is still to be read.
func (o *order) refill() error {
	o.pieces = append(o.pieces[:0], o.pieces[o.next:]...)
	o.next = 0
	seen, least := 0, int32(noUnit)
	for {
		for _, g := range o.pieces[seen:] {
			least = min(least, g.unit)
		}
		seen, o.low, o.done = len(o.pieces), o.places.low(), o.places.left == 0
		if o.done || len(o.pieces) > 0 && least < o.low {
			break
		}
		if err := o.page(); err != nil {
			return err
		}
	}
	slices.SortFunc(o.pieces, func(a, b piece) int {
		return cmp.Or(cmp.Compare(a.unit, b.unit), cmp.Compare(a.at.seq, b.at.seq), cmp.Compare(a.from, b.from))
	})
	return nil
}

// page enters the records that begin in the next page of places.
func (o *order) page() error {
	for page := o.places.page; o.places.page == page; {
		k, err := o.places.chunk()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if h := o.held[k.off]; h != nil {
			k = h
		}
		o.add(k)
	}
	return nil
}
