package parquet

import (
	"fmt"

	"pqjoin/batch"
	"pqjoin/mem"
)

// A fixedDecoder decodes the values of a page, nulls left out, as values of a kind with
// a fixed width. dst has room for exactly n.
type fixedDecoder interface {
	decode(dst []byte, n int) error
}

// plainFixed decodes PLAIN values of a fixed width.
type plainFixed struct {
	in   *window
	conv *converter
}

func (d *plainFixed) decode(dst []byte, n int) error {
	if d.conv.same {
		return d.in.readInto(dst)
	}
	for n > 0 {
		b, err := d.in.peek(d.conv.from)
		if err != nil {
			return err
		}
		k := min(n, len(b)/d.conv.from)
		if k == 0 {
			return errEnds
		}
		d.conv.run(dst, b, k)
		d.in.advance(k * d.conv.from)
		dst, n = dst[k*d.conv.to:], n-k
	}
	return d.conv.err()
}

func (v *converter) err() error {
	if v.bad && v.why != "" {
		return fmt.Errorf("%w: %s", ErrUnsupported, v.why)
	}
	if v.bad {
		return fmt.Errorf("has a decimal that %d bytes do not hold", v.to)
	}
	return nil
}

// plainBools decodes one bit a value.
type plainBools struct {
	in  *window
	bit int
}

func (d *plainBools) decode(dst []byte, n int) error {
	for n > 0 {
		b, err := d.in.peek(1)
		if err != nil {
			return err
		}
		if len(b) == 0 {
			return errEnds
		}
		k := min(n, len(b)*8-d.bit)
		for i := range k {
			at := d.bit + i
			dst[i] = b[at>>3] >> (at & 7) & 1
		}
		d.in.advance((d.bit + k) / 8)
		d.bit = (d.bit + k) % 8
		dst, n = dst[k:], n-k
	}
	return nil
}

// codePiece is how many codes are held between the runs and the dictionary.
const codePiece = 1024

// runBools decodes booleans stored as runs.
type runBools struct {
	runs hybrid
	tmp  []uint32
}

func (d *runBools) decode(dst []byte, n int) error {
	for n > 0 {
		k := min(n, len(d.tmp))
		if err := d.runs.decode(d.tmp[:k]); err != nil {
			return err
		}
		for i, v := range d.tmp[:k] {
			dst[i] = byte(v)
		}
		dst, n = dst[k:], n-k
	}
	return nil
}

// dictFixed decodes codes and looks them up. dict holds values of the kind, width bytes each.
type dictFixed struct {
	runs  hybrid
	dict  []byte
	width int
	tmp   []uint32
}

func (d *dictFixed) decode(dst []byte, n int) error {
	for n > 0 {
		k := min(n, len(d.tmp))
		codes := d.tmp[:k]
		if err := d.runs.decode(codes); err != nil {
			return err
		}
		if err := checkCodes(codes, len(d.dict)/d.width, d.runs.bits); err != nil {
			return err
		}
		if d.width == 8 {
			lookup(values[uint64](dst, k), values[uint64](d.dict, len(d.dict)/8), codes)
		} else {
			lookup(values[batch.Int128](dst, k), values[batch.Int128](d.dict, len(d.dict)/16), codes)
		}
		dst, n = dst[k*d.width:], n-k
	}
	return nil
}

func lookup[T any](dst, dict []T, codes []uint32) {
	dst = dst[:len(codes)]
	for i, c := range codes {
		dst[i] = dict[c]
	}
}

// checkCodes makes sure that codes are below n; codes of so few bits that they must be pass unseen.
func checkCodes(codes []uint32, n int, width uint) error {
	if width < 32 && n >= 1<<width {
		return nil
	}
	var m [4]uint32 // four at a time do not wait for one another
	i := 0
	for ; i+4 <= len(codes); i += 4 {
		c := codes[i : i+4 : i+4]
		m[0], m[1], m[2], m[3] = max(m[0], c[0]), max(m[1], c[1]), max(m[2], c[2]), max(m[3], c[3])
	}
	hi := max(m[0], m[1], m[2], m[3])
	for _, c := range codes[i:] {
		hi = max(hi, c)
	}
	if len(codes) > 0 && int64(hi) >= int64(n) {
		return fmt.Errorf("refers to entry %d of a dictionary of %d", hi, n)
	}
	return nil
}

// splitFixed decodes BYTE_STREAM_SPLIT: the first bytes of all values, then the second ones.
// The page lies whole in b.
type splitFixed struct {
	b    []byte
	n    int // values of the page
	at   int
	conv *converter
	tmp  []byte
}

func (d *splitFixed) decode(dst []byte, n int) error {
	if n > d.n-d.at {
		return errEnds
	}
	w := d.conv.from
	for n > 0 {
		k := min(n, len(d.tmp)/w)
		joinSplit(d.tmp, d.b, d.n, d.at, k, w)
		d.conv.run(dst, d.tmp, k)
		d.at += k
		dst, n = dst[k*d.conv.to:], n-k
	}
	return d.conv.err()
}

// joinSplit puts together the k values from at on, w bytes each, of the n in b.
func joinSplit(dst, b []byte, n, at, k, w int) {
	for j := range w {
		src := b[j*n+at : j*n+at+k]
		for i, v := range src {
			dst[i*w+j] = v
		}
	}
}

// decimalBytes decodes decimals that are stored as byte arrays.
type decimalBytes struct {
	from bytesDecoder
	acct *mem.Account
	conv *converter
}

func (d *decimalBytes) decode(dst []byte, n int) error {
	v := varBuilder{acct: d.acct}
	defer v.release()
	for n > 0 {
		k := min(n, codePiece)
		v.reset()
		if err := v.begin(k, 16*k); err != nil {
			return err
		}
		if err := d.from.append(&v, k); err != nil {
			return err
		}
		off := v.offsets()
		for i := range k {
			d.conv.decimal(dst[i*d.conv.to:], v.data.Bytes()[off[i]:off[i+1]])
		}
		dst, n = dst[k*d.conv.to:], n-k
	}
	return d.conv.err()
}
