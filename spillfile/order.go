package spillfile

import (
	"cmp"
	"errors"
	"io"
	"math"
	"slices"
)

// placedBlock is a block as a reader knows it.
type placedBlock struct {
	block
	k *chunk
}

// piece is a segment's place: rows [from, from+rows) of a block.
type piece struct {
	unit, rows, from int32
	at               *placedBlock
}

// order yields the pieces of a partition by unit, and within a unit in the order of their blocks. Of what lies on disk it knows
// only the units near the one it is at: those that appended went through the units in ascending order, so that what the
// ledger has of a unit lies close together. Where it does not, more is known at a time; the order is the same.
type order struct {
	ledger *ledgerReader
	held   map[int64]*chunk // chunks that lie both on disk, at that offset, and in memory
	pieces []piece          // in order
	next   int              // those before it are done with
	fresh  []piece          // known, and not yet among pieces
	spare  []piece          // for the next merge
	low    int32            // nothing below it is in the ledger still to be read,
	done   bool             // which has come to its end
}

// newOrder begins with what partition p, whose lock is held, has in memory.
func (s *Store) newOrder(p int) *order {
	o := &order{ledger: s.readLedger(p), held: map[int64]*chunk{}, low: math.MinInt32}
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
	at := make([]placedBlock, len(k.blocks))
	for i, b := range k.blocks {
		at[i] = placedBlock{block: b, k: k}
		from := int32(0)
		for _, g := range k.segs[b.seg : b.seg+b.segs] {
			o.fresh = append(o.fresh, piece{unit: g.unit, rows: g.rows, from: from, at: &at[i]})
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

// refill reads the ledger, page by page, until the least known unit is below all that is still to be read.
func (o *order) refill() error {
	seen, known, least := 0, o.next < len(o.pieces), int32(noUnit)
	if known {
		least = o.pieces[o.next].unit
	}
	for {
		for _, g := range o.fresh[seen:] {
			least, known = min(least, g.unit), true
		}
		seen, o.low, o.done = len(o.fresh), o.ledger.low(), o.ledger.left == 0
		if o.done || known && least < o.low {
			break
		}
		if err := o.page(); err != nil {
			return err
		}
	}
	o.merge()
	return nil
}

func comparePieces(a, b piece) int {
	return cmp.Or(cmp.Compare(a.unit, b.unit), cmp.Compare(a.at.seq, b.at.seq), cmp.Compare(a.from, b.from))
}

// merge brings what is fresh among the pieces, and drops those that are done with.
func (o *order) merge() {
	slices.SortFunc(o.fresh, comparePieces)
	out, a, b := o.spare[:0], o.pieces[o.next:], o.fresh
	for len(a) > 0 && len(b) > 0 {
		if comparePieces(a[0], b[0]) <= 0 {
			out, a = append(out, a[0]), a[1:]
		} else {
			out, b = append(out, b[0]), b[1:]
		}
	}
	out = append(append(out, a...), b...)
	clear(o.pieces) // of pointers to blocks
	clear(o.fresh)
	o.pieces, o.spare, o.fresh, o.next = out, o.pieces[:0], o.fresh[:0], 0
}

// page enters the records that begin in the ledger's next page.
func (o *order) page() error {
	for page := o.ledger.page; o.ledger.page == page; {
		k, err := o.ledger.chunk()
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
