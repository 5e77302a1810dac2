package mutate

import (
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
)

// The header of a block of a spill file, as spillfile's documentation draws it.
const (
	spillMagic  = 0x42534a50
	spillHeader = 48
)

// Spilled returns the blocks of a spill file with numbers of one changed, and a checksum that fits. What is not a block stays.
func Spilled(r *rand.Rand, b []byte) []byte {
	var at []int
	le := binary.LittleEndian
	for i := 0; i+spillHeader <= len(b) && le.Uint32(b[i:]) == spillMagic; {
		at = append(at, i)
		n := le.Uint64(b[i+8:])
		if n > uint64(len(b)-i-spillHeader) {
			break
		}
		i += spillHeader + int(n)
	}
	if len(at) == 0 {
		return Flips(r, b)
	}
	from := at[r.IntN(len(at))]
	end := min(from+spillHeader+int(min(le.Uint64(b[from+8:]), 1<<30)), len(b))
	out := Words(r, b, from+8, []int{end - from - 8, end - from - 8, 200, spillHeader - 8}[r.IntN(4)])
	if r.IntN(4) == 0 {
		copy(out[from+spillHeader:end], Splice(r, out[from+spillHeader:end], b))
	}
	if n := le.Uint64(out[from+8:]); n <= uint64(len(out)-from-spillHeader) {
		end = from + spillHeader + int(n)
	}
	le.PutUint32(out[from+4:], crc32.Checksum(out[from+8:end], crc32.MakeTable(crc32.Castagnoli)))
	return out
}
