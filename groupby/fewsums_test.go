package groupby

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pqjoin/batch"
)

// The sums of a chunk beside the table leave the words that the long way leaves, whatever the values.
func TestSumsOfFewGroupsAreThoseOfTheLongWay(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	beside := 0
	for _, typ := range []batch.Type{batch.Of(batch.Int64), batch.Of(batch.Uint64), batch.DecimalOf(38, 2)} {
		k := newSumInt(typ, false)
		for range 400 {
			width, n := r.UintN(64)+1, r.IntN(chunk)+1
			col := &batch.Column{Type: typ, N: n, Fixed: make([]byte, n*typ.Kind().Width())}
			ent, groups := make([]uint32, n), 2+r.IntN(fewEntries-1)
			for i := range n {
				v := int64(r.Uint64()>>(64-width)) ^ -int64(r.UintN(2))
				if r.IntN(n) == 0 {
					v = []int64{1<<narrowBits - 1, -1 << narrowBits, math.MaxInt64, math.MinInt64}[r.IntN(4)]
				}
				if k.wide {
					col.Int128s()[i] = batch.Int128Of(v)
				} else {
					col.Int64s()[i] = v
				}
				ent[i] = uint32(r.IntN(groups))
			}
			var got [2][]uint64
			for way, entries := range []int{groups, fewEntries + 1} {
				tab := &table{lay: &layout{stride: 5}, n: entries, ent: make([]uint64, 5*(fewEntries+1))}
				in := &input{col: col, ent: ent}
				if entries <= fewEntries && k.sumFew(&table{lay: tab.lay, n: entries, ent: slices.Clone(tab.ent)}, 1, in) {
					beside++
				}
				if err := k.update(tab, 1, in); err != nil {
					t.Fatal(err)
				}
				got[way] = tab.ent
			}
			if !slices.Equal(got[0], got[1]) {
				t.Fatalf("%s of up to %d bits in %d groups: %x, want %x", typ, width, groups, got[0], got[1])
			}
		}
	}
	if beside < 300 || beside > 1150 {
		t.Errorf("%d of 1200 chunks were summed beside the table: one of the ways was hardly tried", beside)
	}
}
