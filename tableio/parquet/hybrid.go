package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/parquet-go/bitpack"
)

// hybrid decodes runs of equal values and runs of bit-packed ones, in pieces of any size.
type hybrid struct {
	in     *window
	bits   uint
	left   int // values left in the run
	packed bool
	value  uint32
	carry  [8]uint32 // a group of a packed run that was wanted in part
	at     int       // next value of carry; 8: none
}

func (h *hybrid) reset(in *window, bits uint) {
	*h = hybrid{in: in, bits: bits, at: 8}
}

// runHeader reads the varint before a run: values, and whether they are packed.
func runHeader(in *window) (n int, packed bool, err error) {
	b, err := in.peek(binary.MaxVarintLen32)
	if err != nil {
		return 0, false, err
	}
	u, k := binary.Uvarint(b)
	if k == 0 {
		return 0, false, errEnds
	}
	if k < 0 || u > math.MaxUint32 {
		return 0, false, errors.New("has a run of too many values")
	}
	in.advance(k)
	if u&1 == 1 {
		return int(u>>1) * 8, true, nil
	}
	return int(u >> 1), false, nil
}

func (h *hybrid) run() (err error) {
	if h.left, h.packed, err = runHeader(h.in); err != nil {
		return err
	}
	h.value = 0
	if h.packed && h.bits > 0 {
		return nil
	}
	h.packed = false
	n := int(h.bits+7) / 8
	b, err := h.in.peek(n)
	if err != nil {
		return err
	}
	if len(b) < n {
		return errEnds
	}
	for i := range n {
		h.value |= uint32(b[i]) << (8 * i)
	}
	h.in.advance(n)
	if uint64(h.value)>>h.bits != 0 {
		return fmt.Errorf("has the value %d in a run of %d bits", h.value, h.bits)
	}
	return nil
}

// decode fills dst with the next values.
func (h *hybrid) decode(dst []uint32) error {
	for len(dst) > 0 {
		switch {
		case h.at < 8:
			n := copy(dst, h.carry[h.at:])
			h.at += n
			dst = dst[n:]
		case h.left == 0:
			if err := h.run(); err != nil {
				return err
			}
		case !h.packed:
			n := min(h.left, len(dst))
			fill(dst[:n], h.value)
			h.left -= n
			dst = dst[n:]
		case len(dst) < 8:
			if _, err := h.groups(h.carry[:]); err != nil {
				return err
			}
			h.at = 0
		default:
			n, err := h.groups(dst[:min(h.left, len(dst))&^7])
			if err != nil {
				return err
			}
			dst = dst[n:]
		}
	}
	return nil
}

func fill(dst []uint32, v uint32) {
	for i := range dst {
		dst[i] = v
	}
}

// groups unpacks whole groups of 8 into dst, as many as are at hand, and returns the values.
// Some writers cut the last group of a page short.
func (h *hybrid) groups(dst []uint32) (int, error) {
	size := int(h.bits)
	b, err := h.in.peek(size)
	if err != nil {
		return 0, err
	}
	if len(b) == 0 {
		return 0, errEnds
	}
	g := min(len(dst)/8, len(b)/size)
	if g == 0 {
		var short [32 + slack]byte
		copy(short[:], b)
		bitpack.Unpack(dst[:8], short[:size], h.bits)
		h.in.advance(len(b))
		h.left -= 8
		return 8, nil
	}
	unpack32(dst[:8*g], b, h.bits)
	h.in.advance(g * size)
	h.left -= 8 * g
	return 8 * g, nil
}

// unpack32 unpacks len(dst) values, a multiple of 8.
func unpack32(dst []uint32, src []byte, bits uint) {
	size := len(dst) / 8 * int(bits)
	if cap(src) >= size+bitpack.PaddingInt32 {
		bitpack.Unpack(dst, src[:size], bits)
		return
	}
	// The last groups lie at the very end of memory: unpack them from a copy.
	head := max(0, len(dst)-64) &^ 7
	for head > 0 && cap(src) < head/8*int(bits)+bitpack.PaddingInt32 {
		head = max(0, head-64)
	}
	if head > 0 {
		bitpack.Unpack(dst[:head], src[:head/8*int(bits)], bits)
	}
	for i := head; i < len(dst); i += 8 {
		var tmp [32 + slack]byte
		copy(tmp[:], src[i/8*int(bits):(i/8+1)*int(bits)])
		bitpack.Unpack(dst[i:i+8], tmp[:bits], bits)
	}
}
