package parquet

import (
	"encoding/binary"
	"fmt"

	"pqjoin/batch"
	"pqjoin/mem"

	"github.com/parquet-go/bitpack"
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
	hi := uint32(0)
	for _, c := range codes {
		hi = max(hi, c)
	}
	if len(codes) > 0 && int64(hi) >= int64(n) {
		return fmt.Errorf("refers to entry %d of a dictionary of %d", hi, n)
	}
	return nil
}

// deltaFixed decodes DELTA_BINARY_PACKED integers, four or eight bytes of them as the column stores them.
type deltaFixed struct {
	ints deltaInts
	conv *converter
	tmp  []int64
}

func (d *deltaFixed) decode(dst []byte, n int) error {
	if d.conv.same {
		return d.ints.decode(values[int64](dst, n))
	}
	for n > 0 {
		k := min(n, len(d.tmp))
		if err := d.ints.decode(d.tmp[:k]); err != nil {
			return err
		}
		narrow := batch.View[uint32](batch.BytesOf(d.tmp))
		for i, v := range d.tmp[:k] {
			narrow[i] = uint32(v)
		}
		d.conv.run(dst, batch.BytesOf(d.tmp), k)
		dst, n = dst[8*k:], n-k
	}
	return nil
}

// deltaInts decodes DELTA_BINARY_PACKED integers in pieces of any size:
//
//	block size | miniblocks | values | first value
//	{ smallest delta | a bit width a miniblock | miniblocks of packed deltas } ...
//
// Sums wrap around, as writers count on it.
type deltaInts struct {
	in     *window
	left   int // values not yet decoded, the first included
	first  bool
	last   int64
	mini   int // values of a miniblock
	minis  int
	widths []byte // of the miniblocks of this block that are not begun
	wide   [256]byte
	least  int64
	inMini int  // values left in this miniblock
	bits   uint // of this miniblock
	group  [32]int64
	at     int // next value of group; 32: none
}

func (d *deltaInts) reset(in *window) error {
	*d = deltaInts{in: in, at: 32, first: true}
	block, err := uvarint(in)
	if err != nil {
		return err
	}
	minis, err := uvarint(in)
	if err != nil {
		return err
	}
	n, err := uvarint(in)
	if err != nil {
		return err
	}
	first, err := uvarint(in)
	if err != nil {
		return err
	}
	if block == 0 || block%128 != 0 || block > 1<<16 || minis == 0 || minis > uint64(len(d.wide)) || block%minis != 0 || block/minis%32 != 0 {
		return fmt.Errorf("has delta blocks of %d values in %d parts", block, minis)
	}
	if n > 1<<31 {
		return fmt.Errorf("has %d delta values", n)
	}
	d.mini, d.minis, d.left = int(block/minis), int(minis), int(n)
	d.last = int64(first>>1) ^ -int64(first&1)
	return nil
}

func uvarint(in *window) (uint64, error) {
	b, err := in.peek(binary.MaxVarintLen64)
	if err != nil {
		return 0, err
	}
	u, n := binary.Uvarint(b)
	if n == 0 {
		return 0, errEnds
	}
	if n < 0 {
		return 0, fmt.Errorf("has an integer of more than 64 bits")
	}
	in.advance(n)
	return u, nil
}

// decode fills dst with the next values.
func (d *deltaInts) decode(dst []int64) error {
	if len(dst) > d.left {
		return errEnds
	}
	d.left -= len(dst)
	if d.first && len(dst) > 0 {
		d.first = false
		dst[0] = d.last
		dst = dst[1:]
	}
	for len(dst) > 0 {
		if d.at == 32 {
			if err := d.next(); err != nil {
				return err
			}
		}
		n := min(len(dst), 32-d.at)
		last, least := d.last, d.least
		for i, v := range d.group[d.at : d.at+n] {
			last += v + least
			dst[i] = last
		}
		d.last = last
		d.at += n
		dst = dst[n:]
	}
	return nil
}

// next unpacks the next 32 deltas.
func (d *deltaInts) next() error {
	for d.inMini == 0 {
		if len(d.widths) == 0 {
			if err := d.block(); err != nil {
				return err
			}
		}
		d.bits, d.widths = uint(d.widths[0]), d.widths[1:]
		if d.bits > 64 {
			return fmt.Errorf("has deltas of %d bits", d.bits)
		}
		d.inMini = d.mini
	}
	d.inMini -= 32
	d.at = 0
	if d.bits == 0 {
		clear(d.group[:])
		return nil
	}
	size := int(d.bits) * 4
	b, err := d.in.peek(size)
	if err != nil {
		return err
	}
	if len(b) == 0 {
		return errEnds
	}
	if len(b) < size || cap(b) < size+bitpack.PaddingInt64 { // the last one may be cut short
		var tmp [256 + bitpack.PaddingInt64]byte
		n := copy(tmp[:size], b)
		bitpack.Unpack(d.group[:], tmp[:size], d.bits)
		d.in.advance(n)
		return nil
	}
	bitpack.Unpack(d.group[:], b[:size], d.bits)
	d.in.advance(size)
	return nil
}

func (d *deltaInts) block() error {
	u, err := uvarint(d.in)
	if err != nil {
		return err
	}
	d.least = int64(u>>1) ^ -int64(u&1)
	b, err := d.in.peek(d.minis)
	if err != nil {
		return err
	}
	n := copy(d.wide[:d.minis], b)
	if n == 0 {
		return errEnds
	}
	d.in.advance(n)
	clear(d.wide[n:d.minis])
	d.widths = d.wide[:d.minis]
	return nil
}

// pass consumes all values, so that the window stands behind them. The miniblocks of the
// last block that have no values are not stored.
func (d *deltaInts) pass(tmp []int64) error {
	for d.left > 0 {
		if err := d.decode(tmp[:min(d.left, len(tmp))]); err != nil {
			return err
		}
	}
	for ; d.inMini > 0; d.inMini -= 32 { // the rest of the last miniblock is stored
		n := int64(d.bits) * 4
		if err := d.in.skip(min(n, d.in.remains())); err != nil {
			return err
		}
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
