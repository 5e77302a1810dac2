package groupby

import (
	"context"

	"pqjoin/batch"
	"pqjoin/mem"
)

// digits finds the values at some places of each group without keeping any: the rows are read eight times, and each time
// the next byte of those values is known by how many values have the bytes known so far and which byte next. It takes two
// kilobytes for each group and place, and about 80 ns a row for a group's two places in all.
type digits struct {
	buf   *mem.Buf
	per   int      // places of a group
	shift int      // of the byte that is being counted
	found []uint64 // the bytes known so far, per of each entry
	rest  []uint64 // the place among the values that begin with them
	hist  []uint64 // 256 of each
}

const (
	digitBits  = 8
	digitRange = 1 << digitBits
	wordBits   = 64
	// digitBytes is what a place takes.
	digitBytes = 8 * (2 + digitRange)
)

// digitsBytes is what the digits of all places of the table's groups take.
func (t *table) digitsBytes() int64 {
	places := 0
	for _, w := range t.lay.holds {
		places += 2 * len(w)
	}
	return int64(t.n) * int64(places) * digitBytes
}

// unsignedWord is an ordered word in the order of unsigned numbers, orderedWordOf its reverse.
func unsignedWord(x int64) uint64 { return uint64(x) ^ 1<<(wordBits-1) }

func orderedWordOf(u uint64) int64 { return int64(u ^ 1<<(wordBits-1)) }

// of returns what is known of an entry's values.
func (d *digits) of(e uint32) []uint64 { return d.found[int(e)*d.per:][:d.per] }

// startDigits drops the values of the table, whose groups are complete, and notes the places that are looked for.
func (t *table) startDigits() error {
	for i := range t.lay.aggs {
		k, ok := t.lay.aggs[i].kernel.(holistic)
		if !ok || t.lay.aggs[i].shared {
			continue
		}
		t.values[k.at].release()
		d := &digits{per: 2 * len(t.lay.holds[k.at])}
		n := t.n * d.per
		buf, err := t.acct.Alloc(n * digitBytes)
		if err != nil {
			return err
		}
		words := batch.View[uint64](buf.Bytes())
		d.buf, d.found, d.rest, d.hist = buf, words[:n], words[n:2*n], words[2*n:(2+digitRange)*n]
		clear(words[:2*n])
		t.values[k.at].digits = d
		for e := 1; e < t.n; e++ {
			w := t.ent[e*t.lay.stride+t.lay.aggs[i].off:][:2]
			w[1] = uint64(e) // entries move when they are sorted
			for j, r := range t.lay.holds[k.at] {
				if w[0] > 0 {
					d.rest[e*d.per+2*j], d.rest[e*d.per+2*j+1] = r.places(float64(w[0]))
				}
			}
		}
	}
	return nil
}

// count adds values to the counts of the next byte, where they begin with the bytes known.
func (d *digits) count(ent []uint32, x []int64) {
	for i, e := range ent {
		u := unsignedWord(x[i])
		head, digit := u>>d.shift>>digitBits, int(u>>d.shift%digitRange)
		for at := int(e) * d.per; at < (int(e)+1)*d.per; at++ {
			if d.found[at] == head {
				d.hist[at*digitRange+digit]++
			}
		}
	}
}

// next appends the byte that was counted to what is known of each value.
func (d *digits) next() {
	for at := range d.found {
		digit := 0
		for n := d.hist[at*digitRange:][:digitRange]; digit < digitRange-1 && d.rest[at] >= n[digit]; digit++ {
			d.rest[at] -= n[digit]
		}
		d.found[at] = d.found[at]<<digitBits | uint64(digit)
	}
}

// settleValues readies the values of the table, whose groups are complete, for results. The error is errFull where there are too
// many and cutting the partition again helps, or is all that does.
func (ps *partStream) settleValues(ctx context.Context, p part, w *worker, limit int64) error {
	switch {
	case !w.t.overfull():
		return w.t.arrange()
	case w.t.groups() > 1 && (p.lev.depth < hashDepth && !w.t.heavy() || w.t.digitsBytes() > limit):
		return errFull
	}
	return ps.findDigits(ctx, p, w)
}

// findDigits reads the partition again and again until the values at all places are known. The groups of w's table are complete.
func (ps *partStream) findDigits(ctx context.Context, p part, w *worker) error {
	if err := w.t.startDigits(); err != nil {
		return err
	}
	w.t.again = true
	for shift := wordBits - digitBits; shift >= 0; shift -= digitBits {
		for i := range w.t.values {
			d := w.t.values[i].digits
			d.shift = shift
			clear(d.hist)
		}
		if err := p.lev.feed(ctx, p.p, ps.acct, w); err != nil {
			return err
		}
		for i := range w.t.values {
			w.t.values[i].digits.next()
		}
	}
	return nil
}
