package hashjoin

import (
	"math"
	"math/rand/v2"
	"testing"

	"pqjoin/mem"
)

// filtered returns a sealed filter of n hashes, put in by two workers, and the hashes.
func filtered(t *testing.T, pool *mem.Pool, n int, share int64) (*filter, []uint64) {
	t.Helper()
	acct := pool.Account("filter", 0)
	t.Cleanup(func() {
		if err := acct.Close(); err != nil {
			t.Error(err)
		}
	})
	f, err := newFilter(acct, 2, share, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.release)
	r := rand.New(rand.NewPCG(1, uint64(n)))
	hash := make([]uint64, n)
	for i := range hash {
		hash[i] = r.Uint64()
	}
	if f != nil {
		f.parts[0].add(hash[:n/3])
		f.parts[1].add(hash[n/3:])
		f.seal()
	}
	return f, hash
}

func TestFilterPassesWhatWasAddedAndLittleElse(t *testing.T) {
	pool := mem.NewPool(64<<20, mem.Protect())
	r := rand.New(rand.NewPCG(7, 7))
	others := make([]uint64, 10_000)
	for i := range others {
		others[i] = r.Uint64()
	}
	idx := make([]uint32, 100_000)
	for _, n := range []int{0, 1, 1000, 100_000} {
		f, hash := filtered(t, pool, n, 4<<20)
		if f.words == nil {
			t.Fatalf("%d hashes: given up", n)
		}
		if got, all := f.pass(0, hash, idx); got != n || !all {
			t.Errorf("%d of %d hashes pass", got, n)
		}
		got, _ := f.pass(1, others, idx)
		if got > len(others)/20 {
			t.Errorf("%d hashes: %d of %d others pass", n, got, len(others))
		}
		for i, row := range idx[:got] {
			if i > 0 && row <= idx[i-1] {
				t.Fatal("rows that pass are not in order")
			}
		}
	}
}

func TestFilterIsGivenUpWhereItDoesNotPay(t *testing.T) {
	pool := mem.NewPool(64<<20, mem.Protect())
	idx := make([]uint32, filterTrial)
	if f, _ := filtered(t, pool, 10, 2*minFilter-1); f != nil {
		t.Error("a filter in too little memory")
	}
	full, hash := filtered(t, pool, 200_000, 2*minFilter)
	if n, all := full.pass(0, hash[:100], idx); n != 0 || !all || full.words != nil {
		t.Error("a filter whose bits are nearly all set is asked")
	}
	f, hash := filtered(t, pool, filterTrial, 8<<20)
	f.pass(0, hash, idx)
	if f.pass(0, []uint64{^hash[0]}, idx); !f.parts[0].off || f.parts[1].off {
		t.Error("a worker whose rows all pass goes on asking, or another does not")
	}
}

func TestAFilterIsMadeForTheRowsThatAreGuessed(t *testing.T) {
	acct := mem.NewPool(64<<20).Account("filter", 0)
	before := 0
	for _, rows := range []int64{1, 10_000, 100_000, 1_000_000, 1 << 40, 1 << 61, math.MaxInt64, 0} {
		f, err := newFilter(acct, 1, 64<<20, rows)
		if err != nil {
			t.Fatal(err)
		}
		size := 8 * len(f.parts[0].words)
		room := int64(len(f.parts[0].words)) * filterRoom
		if size < before || size < maxFilter && rows > 0 && room < filterGuess*rows || rows == 1 && size != minFilter || rows == 0 && size != maxFilter {
			t.Errorf("%d rows are guessed: %d bytes, with room for %d rows", rows, size, room)
		}
		before = size
		f.release()
	}
}

func TestNoShareMakesNoFilter(t *testing.T) {
	acct := mem.NewPool(64<<20).Account("filter", 0)
	for _, share := range []int64{0, -1, -1 << 40} {
		if f, err := newFilter(acct, 2, share, 0); f != nil || err != nil {
			t.Errorf("of %d bytes: %v, %v", share, f, err)
		}
	}
}
