package parquet

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
)

// lz4Blocks decompresses LZ4 blocks: one of the whole page, or Hadoop's, which have sizes before them:
//
//	raw size of a frame (4 bytes, big endian) | { size (4 bytes, big endian) | block } ... | next frame
//
// A block is sequences: a token, literals, and a match, which the last sequence lacks.
type lz4Blocks struct {
	lz
	hadoop bool
	frame  int64 // raw bytes that the frame has yet to give
	block  int64 // compressed bytes left in the block
	token  byte
	match  bool // the literals of the token are done, its match is due
}

// newHadoopLZ4 looks at the beginning: the codec that Parquet calls LZ4 is Hadoop's, but some wrote plain blocks.
func newHadoopLZ4(in *window, raw int64) (*lz4Blocks, error) {
	b, err := in.peek(8)
	if err != nil {
		return nil, err
	}
	z := &lz4Blocks{lz: lz{in: in}, block: math.MaxInt64}
	if len(b) < 8 {
		return z, nil
	}
	frame, size := int64(binary.BigEndian.Uint32(b)), int64(binary.BigEndian.Uint32(b[4:]))
	rest := in.remains() - 8
	if frame > 0 && size > 0 && frame <= raw && size <= rest && (frame < raw || size == rest) {
		z.hadoop, z.block = true, 0
	}
	return z, nil
}

func (z *lz4Blocks) produce(w *window) error {
	for len(w.free()) > 0 {
		before := w.made
		done, err := z.pending(w)
		if err != nil {
			return err
		}
		z.frame -= w.made - before
		if !done || w.left == 0 {
			return nil
		}
		if !z.match && z.block > 0 {
			if z.fast(w); w.left == 0 || len(w.free()) == 0 {
				return nil
			}
		}
		if err := z.step(w.left); err != nil {
			return err
		}
		if int64(z.literal)+int64(z.length) > w.left {
			return errRaw
		}
	}
	return nil
}

// step reads what comes next: sizes, a token, or a match.
func (z *lz4Blocks) step(left int64) (err error) {
	if z.match && z.block > 0 {
		return z.readMatch(left)
	}
	z.match = false
	if z.hadoop && z.frame <= 0 {
		if z.frame, err = z.word(); err != nil {
			return err
		}
	}
	for z.hadoop && z.block <= 0 {
		if z.block, err = z.word(); err != nil {
			return err
		}
	}
	if z.token, err = z.next(); err != nil {
		return err
	}
	if z.literal, err = z.extend(int(z.token>>4), left); err != nil {
		return err
	}
	if z.block -= int64(z.literal); z.block < 0 {
		return errEnds
	}
	z.match = true
	return nil
}

func (z *lz4Blocks) readMatch(left int64) (err error) {
	z.match = false
	lo, err := z.next()
	if err != nil {
		return err
	}
	hi, err := z.next()
	if err != nil {
		return err
	}
	n, err := z.extend(int(z.token&15), left)
	if err != nil {
		return err
	}
	z.offset, z.length = int(hi)<<8|int(lo), n+4
	return nil
}

func (z *lz4Blocks) next() (byte, error) {
	c, err := z.in.ReadByte()
	if errors.Is(err, io.EOF) {
		return 0, errEnds
	}
	if err != nil {
		return 0, err
	}
	z.block--
	return c, nil
}

func (z *lz4Blocks) word() (int64, error) {
	b, err := z.in.peek(4)
	if err != nil {
		return 0, err
	}
	if len(b) < 4 {
		return 0, errEnds
	}
	z.in.advance(4)
	return int64(binary.BigEndian.Uint32(b)), nil
}

// extend reads the bytes that lengthen n where it is 15.
func (z *lz4Blocks) extend(n int, left int64) (int, error) {
	if n < 15 {
		return n, nil
	}
	for int64(n) <= left {
		c, err := z.next()
		if err != nil {
			return 0, err
		}
		n += int(c)
		if c < 255 {
			return n, nil
		}
	}
	return 0, errRaw
}
