package parquet

import (
	"testing"

	"pqjoin/mem"
)

// A page of small numbers makes a table of slots; a later page with numbers beyond the signed range does not fit it.
func TestDictionaryOfNumbersThatLaterSpanAllBits(t *testing.T) {
	pool := mem.NewPool(1<<20, mem.Protect())
	acct := pool.Account("test", 0)
	d := &wordDict{acct: acct}
	codes := make([]int32, 4)
	for _, p := range [][]uint64{{3, 5, 30}, {3, 30, 0xb545110d643835c1, 4}, {1 << 63, 3}} {
		lo, hi := p[0], p[0]
		for _, v := range p {
			lo, hi = min(lo, v), max(hi, v)
		}
		ok, err := d.encode(p, codes, lo, hi, true, 100)
		if err != nil || !ok {
			t.Fatalf("encode %v: %v %v", p, ok, err)
		}
		for i, v := range p {
			if got := d.values()[codes[i]]; got != v {
				t.Errorf("value %d came back as %d", v, got)
			}
		}
	}
	d.dropTable()
	d.vals.Release()
	if err := acct.Close(); err != nil {
		t.Error(err)
	}
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
}
