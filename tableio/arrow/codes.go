package arrow

import (
	"encoding/binary"

	"pqjoin/batch"
)

// takeCodes reads codes of a dictionary. Other values than texts are looked up at once, and so is a dictionary that holds nulls.
func (p *part) takeCodes(t batch.Type, n int, dict *batch.Column) (*batch.Column, error) {
	valid, err := p.validity(n)
	if err != nil {
		return nil, err
	}
	defer valid.Release()
	buf, err := p.acct.Alloc(4 * n)
	if err != nil {
		return nil, err
	}
	defer buf.Release()
	codes := batch.View[uint32](buf.Bytes())[:n]
	if dict == nil || dict.N == 0 {
		if err := p.codes(codes, 0, batch.Missing, valid); err != nil {
			return nil, err
		}
		return batch.AllNull(p.acct, t, n)
	}
	if dict.Nulls > 0 || t.Kind() != batch.KindBytes {
		if err := p.codes(codes, dict.N, batch.Missing, valid); err != nil {
			return nil, err
		}
		return batch.Gather(p.acct, dict, codes, true)
	}
	if err := p.codes(codes, dict.N, 0, valid); err != nil {
		return nil, err
	}
	out, err := batch.NewCodes(p.acct, dict.Retain(), n)
	if err != nil {
		dict.Release()
		return nil, err
	}
	copy(out.Codes, codes)
	return out.ShareNulls(valid), nil
}

// codes reads codes of a dictionary of size values; a null's is missing.
func (p *part) codes(dst []uint32, size int, missing uint32, valid *batch.Column) error {
	w := p.col.index
	return p.words(len(dst), func(at int, raw []byte) error {
		for i := range len(raw) / w {
			v := code(raw[i*w:], w)
			switch {
			case valid.IsNull(at + i):
				v = uint64(missing)
			case v >= uint64(size):
				return malformedf("column %s has the code %d, and its dictionary %d values", p.col.field.Name, v, size)
			}
			dst[at+i] = uint32(v)
		}
		return nil
	})
}

func code(b []byte, w int) uint64 {
	switch w {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.LittleEndian.Uint16(b))
	case 4:
		return uint64(binary.LittleEndian.Uint32(b))
	}
	return binary.LittleEndian.Uint64(b)
}

// words shows n values of fixed width to use, some at a time.
func (p *part) words(n int, use func(at int, raw []byte) error) error {
	w := p.width()
	room := len(p.scratch.Bytes()) / w
	for at := 0; at < n; {
		k := min(n-at, room)
		raw := p.scratch.Bytes()[:k*w]
		if err := p.vals.read(raw); err != nil {
			return err
		}
		if err := use(at, raw); err != nil {
			return err
		}
		at += k
	}
	return nil
}
