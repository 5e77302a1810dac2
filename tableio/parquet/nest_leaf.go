package parquet

import (
	"fmt"

	"pqjoin/batch"
	"pqjoin/batch/nested"
	"pqjoin/mem"
)

// entryPiece is how many entries of a leaf are decoded at a time.
const entryPiece = codePiece

// nestedLeaf yields the entries of one leaf, a piece of a page at a time, to whoever puts values together.
type nestedLeaf struct {
	c   *chunk
	rep [entryPiece]uint8
	def [entryPiece]uint8
	n   int // entries at hand
	at  int // the next
	val int // the next value

	vals  batch.Column // those of the entries at hand that have one: Fixed, Off and Data, or Codes and Dict
	fixed *mem.Buf
	codes *mem.Buf
	text  varBuilder
	width int // of a value as it is encoded, 0 where it has its length before it
	step  int // most entries of a piece
}

func (s *groupStream) openLeaf(c *chunk) *nestedLeaf {
	l := &nestedLeaf{c: c, width: nested.LeafWidth(c.col.field.Type), step: entryPiece}
	l.vals.Type = c.col.field.Type
	l.text.acct = c.acct
	if c.col.field.Type.Kind() == batch.KindBytes {
		step, _ := c.guess(entryPiece)
		l.step = min(step, entryPiece)
	}
	return l
}

func (l *nestedLeaf) close() {
	for _, b := range []*mem.Buf{l.fixed, l.codes} {
		b.Release()
	}
	l.fixed, l.codes = nil, nil
	l.text.release()
	l.c.close()
}

// next makes sure that there is an entry at hand; ok is false where the chunk has no more.
func (l *nestedLeaf) next() (ok bool, err error) {
	if l.at < l.n {
		return true, nil
	}
	if l.c.page == 0 && l.c.unseen == 0 {
		return false, nil
	}
	return true, l.fill()
}

// fill decodes the next piece.
func (l *nestedLeaf) fill() error {
	c := l.c
	l.at, l.n, l.val = 0, 0, 0
	if c.page == 0 {
		if err := c.nextPage(); err != nil {
			return err
		}
	}
	n := min(l.step, c.page)
	some, err := c.entries.read(c.col, l.rep[:n], l.def[:n], c.tmp.codes[:])
	if err != nil {
		return err
	}
	switch {
	case c.coded:
		err = l.fillCodes(some)
	case c.bytes != nil:
		err = l.fillText(some)
	default:
		err = l.fillFixed(some)
	}
	if err != nil {
		return err
	}
	c.page -= n
	l.n, l.vals.N = n, some
	return nil
}

func (l *nestedLeaf) fillFixed(some int) (err error) {
	width := l.vals.Type.Kind().Width()
	if l.fixed == nil {
		if l.fixed, err = l.c.acct.Alloc(entryPiece * width); err != nil {
			return err
		}
	}
	l.vals.Fixed = l.fixed.Bytes()[:some*width]
	return l.c.fixed.decode(l.vals.Fixed, some)
}

func (l *nestedLeaf) fillCodes(some int) (err error) {
	if l.codes == nil {
		if l.codes, err = l.c.acct.Alloc(4 * entryPiece); err != nil {
			return err
		}
	}
	l.vals.Codes = values[uint32](l.codes.Bytes(), some)
	l.vals.Dict = l.c.dict
	runs := &l.c.decoders.codes
	if err := runs.decode(l.vals.Codes); err != nil {
		return err
	}
	return checkCodes(l.vals.Codes, l.c.dict.N, runs.bits)
}

func (l *nestedLeaf) fillText(some int) error {
	v := &l.text
	v.reset()
	if v.data != nil && len(v.data.Bytes()) > 2*l.c.lim.data { // a long value does not stay
		v.release()
	}
	_, guess := l.c.guess(l.step)
	if err := v.begin(entryPiece, guess); err != nil {
		return err
	}
	if err := l.c.bytes.append(v, some); err != nil {
		return err
	}
	l.vals.Off, l.vals.Data = v.offsets()[:some+1], v.data.Bytes()[:v.pos]
	l.vals.Codes, l.vals.Dict = nil, nil
	return nil
}

// put appends the next k values to what b encodes. A number costs less than 1 ns, a short string about 5.
func (l *nestedLeaf) put(b *nested.Builder, k int) error {
	i := l.val
	l.val += k
	switch {
	case l.width == 8 && l.vals.Type.Kind() != batch.KindBytes:
		if err := b.Room(8 * k); err != nil {
			return err
		}
		b.Bytes = append(b.Bytes, l.vals.Fixed[8*i:8*(i+k)]...)
		return nil
	case l.width > 0:
		if err := b.Room(l.width * k); err != nil {
			return err
		}
		for j := i; j < i+k; j++ {
			b.Bytes = nested.AppendValue(b.Bytes, &l.vals, j)
		}
		return nil
	}
	for j := i; j < i+k; j++ {
		if err := b.Room(nested.ValueSize(&l.vals, j)); err != nil {
			return err
		}
		b.Bytes = nested.AppendValue(b.Bytes, &l.vals, j)
	}
	return nil
}

// take consumes an entry that has the repetition level rep and returns its definition level.
func (l *nestedLeaf) take(rep uint8) (def uint8, err error) {
	if l.at == l.n {
		ok, err := l.next()
		if err != nil {
			return 0, err
		}
		if !ok {
			return 0, fmt.Errorf("%w: its chunk ends too early", ErrCorrupt)
		}
	}
	if l.rep[l.at] != rep {
		return 0, fmt.Errorf("has the repetition level %d where %d is due", l.rep[l.at], rep)
	}
	def = l.def[l.at]
	l.at++
	return def, nil
}

// entryBuffers returns what a leaf's reader holds besides its chunk's.
func entryBuffers(lim limits, c *column) int64 {
	if w := c.field.Type.Kind().Width(); w > 0 {
		return int64(mem.ClassSize(entryPiece * w))
	}
	return int64(mem.ClassSize(4*(entryPiece+1)) + mem.ClassSize(4*entryPiece) + 2*mem.ClassSize(lim.data+slack))
}

// entryLevelRoom returns what the levels of a page take that is decoded in pieces.
func entryLevelRoom(c *column, p *pageHeader) (n int64) {
	for _, most := range [2]uint8{c.maxRep, c.maxDef} {
		if most > 0 { // at worst a run for each entry: a byte that says so, and its level
			n += int64(mem.ClassSize(min(2*p.values+16, p.raw) + slack))
		}
	}
	return n
}
