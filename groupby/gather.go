package groupby

import (
	"fmt"
	"math"

	"pqjoin/batch"
	"pqjoin/mem"
)

// gather joins the values of a group, in the order of the rows: string_agg. A group is
// in memory as a whole, and one that outgrows that is an error which names its key. Only Ordered has it: there the rows of a
// group follow each other, so that what is gathered only ever grows at its end, in a tail that all groups share.
//
// The state is where the group begins in the tail, how many bytes it has there, and how many values they are of.
type gather struct {
	sep  string
	tail int // of table.tails
}

// tail is the bytes that gather has gathered for the groups of a table, one group after the other.
type tail struct {
	buf *mem.Buf
	n   int
}

// maxGathered bounds the bytes of one group: those of a column are counted in 32 bits.
const maxGathered = math.MaxInt32

func pickGather(spec *Spec, a Agg) (kernel, error) {
	t := spec.In.Fields[a.Arg].Type
	if t.ID != batch.String || a.Type != t {
		return nil, fmt.Errorf("%s of %s as %s", a.Func, t, a.Type)
	}
	return gather{sep: a.Sep}, nil
}

func (gather) words() int { return 3 }
func (k gather) columns() []batch.Type {
	return []batch.Type{batch.Of(batch.Int64), batch.Of(batch.Binary)}
}
func (gather) ordered() bool { return false }
func (gather) viewWord() int { return 0 }
func (gather) tails() int    { return 1 }

func (k gather) from(tail int) kernel { k.tail = tail; return k }

// gatherer is a kernel that keeps bytes in tails of the table, from the one on that from says.
type gatherer interface {
	kernel
	tails() int
	from(tail int) kernel
}

// grow makes room for n more bytes.
func (t *tail) grow(n int, acct *mem.Account) error {
	if t.buf != nil && t.n+n <= len(t.buf.Bytes()) {
		return nil
	}
	buf, err := acct.Alloc(max(t.n+n, t.n+t.n/2, segment))
	if err != nil {
		return err
	}
	if t.buf != nil {
		copy(buf.Bytes(), t.buf.Bytes()[:t.n])
		t.buf.Release()
	}
	t.buf = buf
	return nil
}

func (t *tail) release() {
	t.buf.Release()
	*t = tail{}
}

// reset forgets the bytes, and keeps no more memory than there is at first.
func (t *tail) reset() {
	if t.n = 0; t.buf != nil && len(t.buf.Bytes()) > segment {
		t.release()
	}
}

// room makes n more bytes for entry e in one of its tails, where w says what it has there: from which byte on, and how many.
func (k gather) room(t *table, e uint32, w []uint64, tail, n int) ([]byte, error) {
	tl := &t.tails[tail]
	if w[1] == 0 {
		w[0] = uint64(tl.n)
	}
	err := tl.grow(n, t.acct)
	if err == nil && w[1]+uint64(n) > maxGathered {
		err = fmt.Errorf("more than 2 GiB: %w", mem.ErrLimit)
	}
	if err != nil {
		return nil, outgrown(t, e, err)
	}
	out := tl.buf.Bytes()[tl.n : tl.n+n : tl.n+n]
	tl.n += n
	w[1] += uint64(n)
	return out, nil
}

// outgrown names the key of a group that there is no memory for.
func outgrown(t *table, e uint32, err error) error {
	return fmt.Errorf("the values of the group%s do not fit in memory: %w", t.keyText(e), err)
}

func (k gather) update(t *table, off int, in *input) error {
	for i, e := range in.ent {
		if e == 0 {
			continue
		}
		w := t.ent[int(e)*t.lay.stride+off:][:3]
		value, sep := in.col.Value(in.lo+i), k.sep
		if w[2] == 0 {
			sep = ""
		}
		out, err := k.room(t, e, w, k.tail, len(sep)+len(value))
		if err != nil {
			return err
		}
		copy(out[copy(out, sep):], value)
		w[2]++
	}
	return nil
}

// merge takes over the state of the open group: there is never another of it.
func (k gather) merge(t *table, off int, cols []*batch.Column, lo int, ent []uint32) error {
	for i, e := range ent {
		w := t.ent[int(e)*t.lay.stride+off:][:3]
		if err := k.restore(t, e, w, k.tail, cols[1].Value(lo+i)); err != nil {
			return err
		}
		w[2] = uint64(cols[0].Int64s()[lo+i])
	}
	return nil
}

func (k gather) restore(t *table, e uint32, w []uint64, tail int, value []byte) error {
	if len(value) == 0 {
		return nil
	}
	out, err := k.room(t, e, w, tail, len(value))
	if err == nil {
		copy(out, value)
	}
	return err
}

func (k gather) export(t *table, off int, ents []uint32) ([]*batch.Column, error) {
	out, err := exportWords(t, off+2, 1, ents)
	if err != nil {
		return nil, err
	}
	c, err := k.bytes(t, off, ents, batch.Of(batch.Binary), k.tail)
	if err != nil {
		releaseAll(out)
		return nil, err
	}
	return append(out, c), nil
}

// had returns the bytes of a tail that the words at off say an entry has.
func (t *table) had(e uint32, off, tail int) []byte {
	w := t.ent[int(e)*t.lay.stride+off:][:2]
	if w[1] == 0 {
		return nil
	}
	return t.tails[tail].buf.Bytes()[w[0] : w[0]+w[1]]
}

// bytes returns what the entries have in a tail.
func (k gather) bytes(t *table, off int, ents []uint32, typ batch.Type, tail int) (*batch.Column, error) {
	c, err := newGathered(t, ents, typ, func(e uint32) int { return len(t.had(e, off, tail)) })
	if err != nil {
		return nil, err
	}
	at := uint32(0)
	for i, e := range ents {
		c.Off[i] = at
		at += uint32(copy(c.Data[at:], t.had(e, off, tail)))
	}
	c.Off[len(ents)] = at
	return c, nil
}

// newGathered returns a column with room for values of the sizes of the entries. Where there is none the error names the largest.
func newGathered(t *table, ents []uint32, typ batch.Type, size func(e uint32) int) (*batch.Column, error) {
	total, most, longest := 0, -1, uint32(0)
	for _, e := range ents {
		n := size(e)
		total += n
		if n > most {
			most, longest = n, e
		}
	}
	if total > math.MaxUint32 {
		return nil, outgrown(t, longest, fmt.Errorf("more than 4 GiB in a batch: %w", mem.ErrLimit))
	}
	c, err := batch.NewVar(t.acct, typ, len(ents), total)
	if err != nil {
		return nil, outgrown(t, longest, err)
	}
	return c, nil
}

func (k gather) result(t *table, off int, ents []uint32, typ batch.Type) (*batch.Column, error) {
	c, err := k.bytes(t, off, ents, typ, k.tail)
	if err != nil {
		return nil, err
	}
	return withNulls(t, c, func(i int) bool { return t.ent[int(ents[i])*t.lay.stride+off+2] == 0 })
}
