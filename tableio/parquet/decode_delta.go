package parquet

import (
	"encoding/binary"
	"fmt"

	"pqjoin/batch"

	"github.com/parquet-go/bitpack"
)

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
