package batch

import (
	"encoding/binary"
	"math/big"
	"math/bits"
)

// Int128 is a two's complement 128-bit integer.
type Int128 struct {
	Lo uint64
	Hi int64
}

// Int128Of widens v.
func Int128Of(v int64) Int128 { return Int128{Lo: uint64(v), Hi: v >> 63} }

// Add returns a+b and whether it overflowed.
func (a Int128) Add(b Int128) (sum Int128, overflow bool) {
	lo, c := bits.Add64(a.Lo, b.Lo, 0)
	hi, _ := bits.Add64(uint64(a.Hi), uint64(b.Hi), c)
	sum = Int128{Lo: lo, Hi: int64(hi)}
	return sum, (a.Hi >= 0) == (b.Hi >= 0) && (sum.Hi >= 0) != (a.Hi >= 0)
}

// Neg returns -a (the smallest value is its own negative).
func (a Int128) Neg() Int128 {
	lo, borrow := bits.Sub64(0, a.Lo, 0)
	hi, _ := bits.Sub64(0, uint64(a.Hi), borrow)
	return Int128{Lo: lo, Hi: int64(hi)}
}

// Cmp returns -1, 0 or 1.
func (a Int128) Cmp(b Int128) int {
	switch {
	case a.Hi < b.Hi, a.Hi == b.Hi && a.Lo < b.Lo:
		return -1
	case a == b:
		return 0
	}
	return 1
}

// Int64 returns a as an int64 and whether it fits.
func (a Int128) Int64() (int64, bool) { return int64(a.Lo), a.Hi == int64(a.Lo)>>63 }

// Big returns a as a big integer.
func (a Int128) Big() *big.Int {
	v := big.NewInt(a.Hi)
	v.Lsh(v, 64)
	return v.Or(v, new(big.Int).SetUint64(a.Lo))
}

// Int128FromBig returns v and whether it fits.
func Int128FromBig(v *big.Int) (Int128, bool) {
	if v.BitLen() > 127 {
		return Int128{}, false
	}
	lo := new(big.Int).And(v, new(big.Int).SetUint64(^uint64(0))).Uint64()
	hi := new(big.Int).Rsh(v, 64).Int64()
	return Int128{Lo: lo, Hi: hi}, true
}

// AppendKey appends a as 16 bytes whose order is that of the numbers.
func (a Int128) AppendKey(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(a.Hi)^1<<63)
	return binary.BigEndian.AppendUint64(dst, a.Lo)
}
