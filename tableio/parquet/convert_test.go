package parquet

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"pqjoin/batch"
)

// TestDecimalsAgreeWithOne: many decimals at once are what they are one by one, of any width, and
// with nothing behind the last.
func TestDecimalsAgreeWithOne(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for from := 1; from <= 20; from++ {
		for _, to := range []int{8, 16} {
			for n := range 20 {
				src := make([]byte, from*n)
				for i := range src {
					src[i] = byte(r.Uint32())
					if i%from < from-8 && r.IntN(40) > 0 { // mostly numbers that fit 8 bytes
						src[i] = 0
					}
				}
				many, one := converter{from: from, to: to}, converter{from: from, to: to}
				got, want := batch.BytesOf(make([]uint64, 2*n+2)), batch.BytesOf(make([]uint64, 2*n+2))
				many.decimals(got, src, n)
				for i := range n {
					one.decimal(want[i*to:], src[i*from:(i+1)*from])
				}
				if many.bad != one.bad || !one.bad && !bytes.Equal(got, want) {
					t.Fatalf("%d of %d bytes to %d: %x, one by one %x", n, from, to, got, want)
				}
			}
		}
	}
}
