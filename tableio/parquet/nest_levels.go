package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"pqjoin/mem"
)

// entryLevels decodes the repetition and definition levels of a page of a nested column's leaf. They are held
// whole, those of a page in pieces too: a few bits an entry.
type entryLevels struct {
	reps, defs   hybrid
	repIn, defIn window
	bufs         [2]*mem.Buf // repetition and definition levels of a page in pieces
}

func (l *entryLevels) close() {
	if l == nil {
		return
	}
	for i, b := range l.bufs {
		b.Release()
		l.bufs[i] = nil
	}
}

func (l *entryLevels) open(c *column, reps, defs []byte) {
	l.repIn, l.defIn = whole(reps), whole(defs)
	l.reps.reset(&l.repIn, uint(bits.Len8(c.maxRep)))
	l.defs.reset(&l.defIn, uint(bits.Len8(c.maxDef)))
}

// splitEntries parts the levels of a page that is held from its values.
func (c *chunk) splitEntries(b []byte) error {
	h := &c.header
	reps, defs, vals := b[:h.repLen], b[h.repLen:h.repLen+h.defLen], b[h.repLen+h.defLen:]
	if !h.v2 {
		var err error
		if c.col.maxRep > 0 {
			if reps, vals, err = cutLevels(vals); err != nil {
				return err
			}
		}
		if c.col.maxDef > 0 {
			if defs, vals, err = cutLevels(vals); err != nil {
				return err
			}
		}
	}
	c.entries.open(c.col, reps, defs)
	c.vals = whole(vals)
	c.in = &c.vals
	return nil
}

// cutLevels cuts off levels that have their length before them.
func cutLevels(b []byte) (levels, rest []byte, err error) {
	if len(b) < 4 {
		return nil, nil, errEnds
	}
	n := binary.LittleEndian.Uint32(b)
	b = b[4:]
	if uint64(n) > uint64(len(b)) {
		return nil, nil, fmt.Errorf("has levels of %d bytes in %d", n, len(b))
	}
	return b[:n], b[n:], nil
}

// entryPieces opens a page that is too big to be held, but for its levels.
func (c *chunk) entryPieces() error {
	h := &c.header
	var levels [2][]byte
	var err error
	if h.v2 {
		for i, n := range [2]int{h.repLen, h.defLen} {
			if levels[i], err = c.holdLevels(i, &c.stored, int64(n)); err != nil {
				return err
			}
		}
	}
	if err := c.openVals(); err != nil {
		return err
	}
	if !h.v2 {
		for i, most := range [2]uint8{c.col.maxRep, c.col.maxDef} {
			if most == 0 {
				continue
			}
			b, err := c.in.peek(4)
			if err != nil {
				return err
			}
			if len(b) < 4 {
				return errEnds
			}
			n := int64(binary.LittleEndian.Uint32(b))
			c.in.advance(4)
			if levels[i], err = c.holdLevels(i, c.in, n); err != nil {
				return err
			}
		}
	}
	c.entries.open(c.col, levels[0], levels[1])
	return nil
}

// holdLevels takes n bytes from in.
func (c *chunk) holdLevels(i int, in *window, n int64) ([]byte, error) {
	if n > in.remains() {
		return nil, fmt.Errorf("has levels of %d bytes in %d", n, in.remains())
	}
	l := c.entries
	if l.bufs[i] == nil || int64(len(l.bufs[i].Bytes())) < n+slack {
		l.bufs[i].Release()
		l.bufs[i] = nil
		b, err := c.acct.Alloc(int(n) + slack)
		if err != nil {
			return nil, err
		}
		l.bufs[i] = b
	}
	b := l.bufs[i].Bytes()[:n]
	return b, in.readInto(b)
}

var errLevel = errors.New("has a level that its column cannot have")

// read decodes the levels of len(rep) entries, and returns how many have a value.
func (l *entryLevels) read(c *column, rep, def []uint8, tmp []uint32) (some int, err error) {
	if err := decodeLevels(&l.reps, c.maxRep, rep, tmp); err != nil {
		return 0, err
	}
	if err := decodeLevels(&l.defs, c.maxDef, def, tmp); err != nil {
		return 0, err
	}
	for _, d := range def {
		if d == c.maxDef {
			some++
		}
	}
	return some, nil
}

func decodeLevels(h *hybrid, most uint8, dst []uint8, tmp []uint32) error {
	if most == 0 {
		clear(dst)
		return nil
	}
	tmp = tmp[:len(dst)]
	if err := h.decode(tmp); err != nil {
		return err
	}
	over := uint32(0)
	for i, v := range tmp {
		dst[i] = uint8(v)
		over |= uint32(most) - v
	}
	if over>>31 != 0 {
		return errLevel
	}
	return nil
}
