package parquet

import (
	"bytes"
	"encoding/binary"

	"github.com/parquet-go/parquet-go/format"
)

// spanBytes returns the bytes of the values of a span of byte strings, nulls left out. It costs
// nothing, or about 1 ns a row where the column has codes or nulls.
func spanBytes(s span) (n int64) {
	if s.i == s.j {
		return 0
	}
	if s.c.Dict == nil && s.c.Valid == nil {
		return int64(s.c.Off[s.j] - s.c.Off[s.i])
	}
	if s.c.Dict != nil && s.c.Valid == nil {
		off := s.c.Dict.Off
		for _, k := range s.c.Codes[s.i:s.j] {
			n += int64(off[k+1] - off[k])
		}
		return n
	}
	for i := s.i; i < s.j; i++ {
		n += valueBytes(s.c, i)
	}
	return n
}

// putValues writes the values of a span as PLAIN byte arrays to dst from at on, where there is room
// for them, notes the least and the greatest, and returns where they end. A short value costs about 5 ns.
func putValues(dst []byte, at int, s span, x *extremes) int {
	from := s.c
	if s.c.Dict != nil {
		from = s.c.Dict
	}
	off, data := from.Off, from.Data
	for i := s.i; i < s.j; i++ {
		if s.c.Valid != nil && s.c.IsNull(i) {
			continue
		}
		k := uint32(i)
		if s.c.Dict != nil {
			k = s.c.Codes[i]
		}
		v := data[off[k]:off[k+1]]
		binary.LittleEndian.PutUint32(dst[at:], uint32(len(v)))
		at += 4
		if out := dst[at:]; len(v) <= 16 && cap(v) >= 16 && len(out) >= 16 {
			*(*[16]byte)(out) = *(*[16]byte)(v[:16])
		} else {
			copy(out, v)
		}
		x.add(dst[at : at+len(v)])
		at += len(v)
	}
	return at
}

// extremes keeps the least and the greatest of byte strings. Their first 16 bytes, as two
// numbers, decide for nearly all values.
type extremes struct {
	some         bool
	lo, hi       []byte
	loKey, hiKey [2]uint64
}

func (x *extremes) add(v []byte) {
	key := prefix16(v)
	if !x.some {
		*x = extremes{some: true, lo: v, hi: v, loKey: key, hiKey: key}
		return
	}
	if key[0] < x.loKey[0] || key[0] == x.loKey[0] && key[1] <= x.loKey[1] {
		if key != x.loKey || bytes.Compare(v, x.lo) < 0 {
			x.lo, x.loKey = v, key
		}
	}
	if key[0] > x.hiKey[0] || key[0] == x.hiKey[0] && key[1] >= x.hiKey[1] {
		if key != x.hiKey || bytes.Compare(v, x.hi) > 0 {
			x.hi, x.hiKey = v, key
		}
	}
}

// prefix16 returns the first 16 bytes as big-endian numbers, shorter values with zeros behind them.
func prefix16(v []byte) [2]uint64 {
	if cap(v) < 16 || len(v) > 16 {
		var b [16]byte
		copy(b[:], v)
		return [2]uint64{binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(b[8:])}
	}
	n, w := uint(len(v)), v[:16]
	key := [2]uint64{binary.BigEndian.Uint64(w), binary.BigEndian.Uint64(w[8:])}
	if n <= 8 {
		return [2]uint64{key[0] &^ (^uint64(0) >> (8 * n)), 0}
	}
	key[1] &^= ^uint64(0) >> (8 * (n - 8))
	return key
}

// plainStrings encodes one page of byte arrays without the dictionary.
func (c *chunkWriter) plainStrings(e *encoder, p *page, spans []span) error {
	size := 4 * (p.rows - p.nulls)
	for _, s := range spans {
		size += int(spanBytes(s))
	}
	body, err := e.body.get(e.acct, size)
	if err != nil {
		return err
	}
	at, x := 0, extremes{}
	for _, s := range spans {
		at = putValues(body, at, s, &x)
	}
	if x.some {
		p.bounds = c.leaf.boundBytes(x.lo, x.hi)
	}
	p.encoding = format.Plain
	return c.emitData(e, p, body[:at])
}
