package parquet

import (
	"bytes"
	"encoding/binary"

	"pqjoin/batch"

	"github.com/parquet-go/parquet-go/format"
)

// encodeLong cuts the rows where the page would be too long, and encodes each piece.
func (c *chunkWriter) encodeLong(e *encoder, spans []span) error {
	most := int64(0)
	for _, s := range spans {
		most += spanBytes(s) + 4*int64(s.j-s.i)
	}
	if most <= c.opts.pageBytes {
		return c.encodeBytes(e, spans)
	}
	var part []span
	size := int64(0)
	for _, s := range spans {
		from := s.i
		for i := s.i; i < s.j; i++ {
			n := valueBytes(s.c, i) + 4
			if size > 0 && size+n > c.opts.pageBytes {
				if i > from {
					part = append(part, span{s.c, from, i})
				}
				if err := c.encodeBytes(e, part); err != nil {
					return err
				}
				part, size, from = part[:0], 0, i
			}
			size += n
		}
		if s.j > from {
			part = append(part, span{s.c, from, s.j})
		}
	}
	if len(part) == 0 {
		return nil
	}
	return c.encodeBytes(e, part)
}

// encodeBytes encodes one page of byte strings (or of 128-bit decimals, which are stored so).
func (c *chunkWriter) encodeBytes(e *encoder, spans []span) error {
	rows, nulls, err := c.presence(e, spans)
	if err != nil {
		return err
	}
	c.values += int64(rows - nulls)
	p := page{rows: rows, nulls: nulls}
	if c.opts.dict && !c.dictOff && rows > nulls {
		if done, err := c.codeBytes(e, &p, spans, rows-nulls); done || err != nil {
			return err
		}
	}
	return c.plainBytes(e, &p, spans)
}

func (c *chunkWriter) plainBytes(e *encoder, p *page, spans []span) error {
	if c.leaf.physical == format.ByteArray {
		return c.plainStrings(e, p, spans)
	}
	return c.plainFixed(e, p, spans)
}

// plainFixed encodes one page of values of a fixed width.
func (c *chunkWriter) plainFixed(e *encoder, p *page, spans []span) error {
	body, err := e.body.get(e.acct, c.leaf.width*(p.rows-p.nulls))
	if err != nil {
		return err
	}
	var lo, hi []byte // they point into body
	at := 0
	_, err = eachValue(spans, func(v []byte) (bool, error) {
		own := body[at : at+copy(body[at:], v)]
		lo, hi = c.widen(lo, hi, own, at == 0)
		at += len(own)
		return true, nil
	})
	if err != nil {
		return err
	}
	if p.rows > p.nulls {
		p.bounds = c.leaf.boundBytes(lo, hi)
	}
	p.encoding = format.Plain
	return c.emitData(e, p, body[:at])
}

// widen returns the bounds lo and hi stretched to hold v.
func (c *chunkWriter) widen(lo, hi, v []byte, first bool) ([]byte, []byte) {
	if first {
		return v, v
	}
	if c.leaf.order == orderBytes {
		if bytes.Compare(v, lo) < 0 {
			return v, hi
		}
		if bytes.Compare(v, hi) > 0 {
			return lo, v
		}
		return lo, hi
	}
	if c.leaf.compare(v, lo) < 0 {
		return v, hi
	}
	if c.leaf.compare(v, hi) > 0 {
		return lo, v
	}
	return lo, hi
}

// bytesPage is the state of coding one page of byte strings.
type bytesPage struct {
	c      *chunkWriter
	codes  []int32
	n      int
	number uint32 // of the page within the chunk, from 1
	limit  int
	probe  int // values until the dictionary must have repeated some, 0: no probe
	lo, hi int // entries, -1: none yet
}

// codeBytes tries the page with the dictionary; done is false where it must be plain.
func (c *chunkWriter) codeBytes(e *encoder, p *page, spans []span, values int) (done bool, err error) {
	if c.strings == nil {
		c.strings = newBytesDict(c.data.acct)
	}
	b, err := e.codes.get(e.acct, 4*values)
	if err != nil {
		return false, err
	}
	before := c.strings.n
	bp := bytesPage{c: c, codes: batch.View[int32](b), number: uint32(len(c.pages) + 1), limit: c.opts.rule.limit(c.values), lo: -1}
	if before == 0 && values > dictProbe {
		bp.probe = dictProbe
	}
	ok := true
	for i := 0; i < len(spans) && ok && err == nil; i++ {
		if s := spans[i]; s.c.Dict != nil && s.c.Type.Kind() == batch.KindBytes && s.c.Dict.N <= 4*(s.j-s.i) {
			ok, err = bp.remap(e, s)
		} else {
			ok, err = eachValue(spans[i:i+1], bp.add)
		}
	}
	if err != nil {
		return false, err
	}
	if !ok {
		c.strings.truncate(before)
		c.strings.dropTable()
		c.dictOff = true
		return false, nil
	}
	p.bounds = c.leaf.boundBytes(c.strings.entry(bp.lo), c.strings.entry(bp.hi))
	return true, c.emitCodes(e, p, bp.codes, c.strings.n)
}

func (bp *bytesPage) add(v []byte) (bool, error) {
	k, first, ok, err := bp.c.strings.number(v, bp.number, bp.limit, bp.c.opts.rule)
	if !ok || err != nil {
		return false, err
	}
	if first {
		bp.bound(k)
	}
	bp.codes[bp.n] = int32(k)
	bp.n++
	return bp.passes(), nil
}

// passes says whether the values so far repeat enough for the dictionary to be worth trying.
func (bp *bytesPage) passes() bool { return bp.n != bp.probe || bp.c.strings.n <= dictProbeMax }

func (bp *bytesPage) bound(k int) {
	d := bp.c.strings
	if bp.lo < 0 {
		bp.lo, bp.hi = k, k
		return
	}
	v := d.entry(k)
	if bp.c.leaf.compare(v, d.entry(bp.lo)) < 0 {
		bp.lo = k
	}
	if bp.c.leaf.compare(v, d.entry(bp.hi)) > 0 {
		bp.hi = k
	}
}

// remap codes a span that is dictionary-coded already: each of its entries is looked up once.
func (bp *bytesPage) remap(e *encoder, s span) (bool, error) {
	b, err := e.words.get(e.acct, 4*s.c.Dict.N)
	if err != nil {
		return false, err
	}
	to := batch.View[uint32](b) // number + 1
	clear(to)
	for i := s.i; i < s.j; i++ {
		if s.c.IsNull(i) {
			continue
		}
		code := s.c.Codes[i]
		if to[code] == 0 {
			k, first, ok, err := bp.c.strings.number(s.c.Dict.Value(int(code)), bp.number, bp.limit, bp.c.opts.rule)
			if !ok || err != nil {
				return false, err
			}
			if first {
				bp.bound(k)
			}
			to[code] = uint32(k + 1)
		}
		bp.codes[bp.n] = int32(to[code] - 1)
		if bp.n++; !bp.passes() {
			return false, nil
		}
	}
	return true, nil
}

// stringEntries returns the dictionary page's values.
func (c *chunkWriter) stringEntries(e *encoder) ([]byte, error) {
	d := c.strings
	if c.leaf.physical != format.ByteArray {
		return d.data.Bytes()[:d.used], nil
	}
	body, err := e.body.get(e.acct, d.used+4*d.n)
	if err != nil {
		return nil, err
	}
	at := 0
	for k := range d.n {
		v := d.entry(k)
		binary.LittleEndian.PutUint32(body[at:], uint32(len(v)))
		at += 4 + copy(body[at+4:], v)
	}
	return body, nil
}
