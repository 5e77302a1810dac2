package groupby

import (
	"encoding/binary"
	"fmt"

	"pqjoin/batch"
	"pqjoin/batch/nested"
	"pqjoin/mem"
)

// gatherList makes a list of a group's values in the order of the rows, nulls among them (list), or of the first values that are
// not null (leading, which top is of sorted rows). It is in memory as gather is.
//
// Elements are gathered encoded, in one tail; list has a bit for each in another, from a byte's beginning, which says whether it is
// no null. The state is what the group has in the first tail, how many elements and how many nulls there are, and what it has in the second.
type gatherList struct {
	gather
	nulls bool
	limit uint64 // of elements: leading takes no more, and more of list are an error
}

func pickList(spec *Spec, a Agg) (kernel, error) {
	if err := checkList(spec, a); err != nil {
		return nil, err
	}
	if a.Func == "list" {
		return gatherList{nulls: true, limit: maxGathered}, nil
	}
	return gatherList{limit: uint64(a.Param)}, nil
}

// checkList makes sure that the aggregate is a list of its argument's values.
func checkList(spec *Spec, a Agg) error {
	t := spec.In.Fields[a.Arg].Type
	l, err := nested.ListOf(t, true)
	if err == nil && l.Batch() != a.Type {
		err = fmt.Errorf("%s of %s as %s", a.Func, t, a.Type)
	}
	return err
}

func (gatherList) words() int { return 6 }
func (gatherList) columns() []batch.Type {
	return append(wordTypes(2), batch.Of(batch.Binary), batch.Of(batch.Binary))
}
func (gatherList) tails() int             { return 2 }
func (k gatherList) from(tail int) kernel { k.tail = tail; return k }

// update costs about 10 ns a value.
func (k gatherList) update(t *table, off int, in *input) error {
	for i, e := range in.ent {
		if e == 0 {
			continue
		}
		row, w := in.lo+i, t.ent[int(e)*t.lay.stride+off:][:6]
		if w[2] == k.limit && !k.nulls {
			continue
		}
		if w[2] == k.limit { // nulls take but a bit each, so that there may be so many
			return outgrown(t, e, fmt.Errorf("more than %d elements: %w", k.limit, mem.ErrLimit))
		}
		null := in.col.IsNull(row)
		if err := k.note(t, e, w, null); err != nil {
			return err
		}
		if null {
			continue
		}
		out, err := k.room(t, e, w, k.tail, nested.ValueSize(in.col, row))
		if err != nil {
			return err
		}
		nested.AppendValue(out[:0], in.col, row)
	}
	return nil
}

// note counts an element of entry e.
func (k gatherList) note(t *table, e uint32, w []uint64, null bool) error {
	at := w[2] & 7
	w[2]++
	if !k.nulls {
		return nil
	}
	if at == 0 {
		out, err := k.room(t, e, w[4:], k.tail+1, 1)
		if err != nil {
			return err
		}
		out[0] = 0
	}
	if null {
		w[3]++
		return nil
	}
	bits := &t.tails[k.tail+1]
	bits.buf.Bytes()[bits.n-1] |= 1 << at
	return nil
}

func (k gatherList) merge(t *table, off int, cols []*batch.Column, lo int, ent []uint32) error {
	for i, e := range ent {
		w := t.ent[int(e)*t.lay.stride+off:][:6]
		if err := k.restore(t, e, w, k.tail, cols[2].Value(lo+i)); err != nil {
			return err
		}
		if err := k.restore(t, e, w[4:], k.tail+1, cols[3].Value(lo+i)); err != nil {
			return err
		}
		w[2], w[3] = uint64(cols[0].Int64s()[lo+i]), uint64(cols[1].Int64s()[lo+i])
	}
	return nil
}

func (k gatherList) export(t *table, off int, ents []uint32) ([]*batch.Column, error) {
	out, err := exportWords(t, off+2, 2, ents)
	for j, at := range []int{off, off + 4} {
		var c *batch.Column
		if err == nil {
			if c, err = k.bytes(t, at, ents, batch.Of(batch.Binary), k.tail+j); err == nil {
				out = append(out, c)
			}
		}
	}
	if err != nil {
		releaseAll(out)
		return nil, err
	}
	return out, nil
}

// result puts the count, and where there are nulls the bits, before the elements.
func (k gatherList) result(t *table, off int, ents []uint32, typ batch.Type) (*batch.Column, error) {
	state := func(e uint32) []uint64 { return t.ent[int(e)*t.lay.stride+off:][:6] }
	var head [binary.MaxVarintLen64]byte
	size := func(e uint32) int {
		n, w := binary.PutUvarint(head[:], state(e)[2]<<1), state(e)
		if w[3] > 0 {
			n += int(w[5])
		}
		return n + int(w[1])
	}
	c, err := newGathered(t, ents, typ, size)
	if err != nil {
		return nil, err
	}
	out := c.Data[:0]
	for i, e := range ents {
		c.Off[i] = uint32(len(out))
		if w := state(e); w[3] > 0 {
			out = append(binary.AppendUvarint(out, w[2]<<1|1), t.had(e, off+4, k.tail+1)...)
		} else {
			out = binary.AppendUvarint(out, w[2]<<1)
		}
		out = append(out, t.had(e, off, k.tail)...)
	}
	c.Off[len(ents)] = uint32(len(out))
	return withNulls(t, c, func(i int) bool { return state(ents[i])[2] == 0 })
}
