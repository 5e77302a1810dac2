package mem

import (
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func TestClassesAreTightAndAscend(t *testing.T) {
	lastIdx, lastSize := -1, 0
	for n := 1; n < 8<<20; n += 1 + n/97 {
		idx, size := class(n)
		if size < n || (n > 1<<minClassBits && size-n > n/4) {
			t.Fatalf("%d bytes take %d", n, size)
		}
		if n > largeMin {
			if size-n >= largeStep || size < lastSize {
				t.Fatalf("%d bytes take %d", n, size)
			}
			lastSize = size
			continue
		}
		if idx < lastIdx || size < lastSize || (idx == lastIdx) != (size == lastSize) {
			t.Fatalf("%d bytes: class %d of %d after class %d of %d", n, idx, size, lastIdx, lastSize)
		}
		lastIdx, lastSize = idx, size
	}
}

func TestPoolNeverExceedsItsLimit(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		limit := rapid.Int64Range(1<<20, 16<<20).Draw(rt, "limit")
		pool := NewPool(limit, Protect())
		acct := pool.Account("test", 0)
		var bufs []*Buf
		reserved := int64(0)
		for _, n := range rapid.SliceOfN(rapid.IntRange(-4, 3<<20), 1, 80).Draw(rt, "ops") {
			switch {
			case n <= 0 && len(bufs) > 0:
				k := (-n) % len(bufs)
				bufs[k].Release()
				bufs = append(bufs[:k], bufs[k+1:]...)
			case n%5 == 0 && n > 0 && acct.Reserve(int64(n)) == nil:
				reserved += int64(n)
			case n > 0:
				if n%3 == 0 {
					n /= 100 // small ones come from slabs
				}
				b, err := acct.Alloc(n)
				if errors.Is(err, ErrLimit) {
					continue
				}
				if err != nil {
					rt.Fatal(err)
				}
				for i := range b.Bytes() {
					b.Bytes()[i] = byte(len(bufs))
				}
				bufs = append(bufs, b)
			}
			if pool.Used() > limit || pool.Peak() > limit {
				rt.Fatalf("used %d, peak %d, limit %d", pool.Used(), pool.Peak(), limit)
			}
		}
		for _, b := range bufs {
			b.Release()
		}
		acct.Unreserve(reserved)
		if err := errors.Join(acct.Close(), pool.Close()); err != nil {
			rt.Fatal(err)
		}
	})
}

func TestLimitHoldsUnderConcurrency(t *testing.T) {
	const limit = 8 << 20
	pool := NewPool(limit, Protect())
	acct := pool.Account("test", 6<<20)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(w)))
			var held []*Buf
			for range 2000 {
				b, err := acct.Alloc(1 + r.IntN(1<<(8+r.IntN(12))))
				if err == nil {
					b.Bytes()[0] = byte(w)
					held = append(held, b)
				} else if !errors.Is(err, ErrLimit) {
					t.Error(err)
				}
				if acct.Used() > 6<<20 || pool.Used() > limit {
					t.Errorf("account %d, pool %d", acct.Used(), pool.Used())
				}
				for len(held) > 0 && (err != nil || r.IntN(3) == 0) {
					if held[0].Bytes()[0] != byte(w) {
						t.Error("a buffer has two owners")
					}
					held[0].Release()
					held = held[1:]
					err = nil
				}
			}
			for _, b := range held {
				b.Release()
			}
		})
	}
	wg.Wait()
	if err := errors.Join(acct.Close(), pool.Close()); err != nil {
		t.Error(err)
	}
}

func TestCachedMemoryOfOtherClassesMakesRoom(t *testing.T) {
	pool := NewPool(4<<20, Protect())
	acct := pool.Account("test", 0)
	for _, n := range []int{3 << 20, 100, 5000, 70 << 10, 60 << 10, 2 << 20, 4 << 20} {
		b, err := acct.Alloc(n)
		if err != nil {
			t.Fatalf("%d bytes of an empty pool: %v", n, err)
		}
		b.Release()
	}
	if err := acct.Reserve(4 << 20); err != nil {
		t.Errorf("a reservation of all: %v", err)
	}
	acct.Unreserve(4 << 20)
	if err := errors.Join(acct.Close(), pool.Close()); err != nil {
		t.Error(err)
	}
}

func TestReclaimersAreAskedBeforeFailing(t *testing.T) {
	pool := NewPool(4<<20, Protect())
	acct := pool.Account("test", 0)
	var held []*Buf
	asked := 0
	remove := pool.AddReclaimer(func(want int64) (freed int64, err error) {
		asked++
		for freed < want && len(held) > 0 {
			freed += held[0].Size()
			held[0].Release()
			held = held[1:]
		}
		return freed, nil
	})
	for range 4 {
		b, err := acct.Alloc(1 << 20)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, b)
	}
	b, err := acct.Alloc(2 << 20)
	if err != nil || asked == 0 || len(held) != 2 {
		t.Fatalf("got %v after asking %d times, %d held", err, asked, len(held))
	}
	b.Release()
	failure := errors.New("disk full")
	removeBad := pool.AddReclaimer(func(int64) (int64, error) { return 0, failure })
	if _, err := acct.Alloc(5 << 20); !errors.Is(err, failure) {
		t.Errorf("got %v, want the reclaimer's error", err)
	}
	removeBad()
	remove()
	var le *LimitError
	if _, err := acct.Alloc(5 << 20); !errors.As(err, &le) || le.Consumer != "test" || le.Limit != 4<<20 {
		t.Errorf("got %v", err)
	}
	if err := errors.Join(acct.Close(), pool.Close()); err != nil {
		t.Error(err)
	}
}

func TestAReclaimersErrorIsNotHiddenByMemoryItFreed(t *testing.T) {
	pool := NewPool(4<<20, Protect())
	acct := pool.Account("test", 0)
	held, err := acct.Alloc(4 << 20)
	if err != nil {
		t.Fatal(err)
	}
	failure := errors.New("disk full")
	remove := pool.AddReclaimer(func(int64) (int64, error) {
		held.Release()
		return 4 << 20, failure
	})
	if b, err := acct.Alloc(1 << 20); !errors.Is(err, failure) {
		t.Errorf("got %v, want the reclaimer's error", err)
		b.Release()
	}
	remove()
	if err := errors.Join(acct.Close(), pool.Close()); err != nil {
		t.Error(err)
	}
}

func TestLeaksAreReported(t *testing.T) {
	pool := NewPool(4<<20, Protect())
	acct := pool.Account("leaky", 0)
	b, err := acct.Alloc(100)
	if err != nil {
		t.Fatal(err)
	}
	if err := acct.Close(); err == nil || !strings.Contains(err.Error(), "leaky") {
		t.Errorf("account: %v", err)
	}
	if err := pool.Close(); err == nil {
		t.Error("the pool noticed nothing")
	}
	b.Release()
	if err := errors.Join(acct.Close(), pool.Close()); err != nil {
		t.Error(err)
	}
}

// What could not be unmapped is not unmapped again: it may be somebody else's by then.
func TestAPoolIsUnmappedOnce(t *testing.T) {
	pool := NewPool(4 << 20)
	pool.arenas = append(pool.arenas, make([]byte, 16)[1:2]) // which is no mapping
	if err := pool.Close(); err == nil {
		t.Error("what is no mapping was unmapped")
	}
	if err := pool.Close(); err != nil {
		t.Errorf("closed again: %v", err)
	}
}

func TestUseAfterReleasePanics(t *testing.T) {
	for name, use := range map[string]func(b *Buf){"release": (*Buf).Release, "retain": (*Buf).Retain} {
		b, err := NewPool(1<<20).Account("test", 0).Alloc(10)
		if err != nil {
			t.Fatal(err)
		}
		b.Release()
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s of a released buffer did not panic", name)
				}
			}()
			use(b)
		}()
	}
}

// A late read kills the process, so it is tried in another one.
func TestProtectedPoolFaultsOnALateRead(t *testing.T) {
	if os.Getenv("PQJOIN_TEST_LATE_READ") != "" {
		b, err := NewPool(1<<20, Protect()).Account("test", 0).Alloc(64 << 10)
		if err != nil {
			os.Exit(3)
		}
		late := b.Bytes()
		b.Release()
		os.Exit(int(late[0])) // never gets as far as a status
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestProtectedPoolFaultsOnALateRead$")
	cmd.Env = append(os.Environ(), "PQJOIN_TEST_LATE_READ=1")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "SIGSEGV") {
		t.Errorf("got %v: %s", err, out)
	}
}

// Memory of every class serves every other: whatever was released, all but what is in use can be had, in any sizes.
func TestFreeMemoryServesAnyClass(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		const limit = 8 << 20
		pool := NewPool(limit, Protect())
		acct := pool.Account("test", 0)
		var held []*Buf
		used := int64(0)
		for _, n := range rapid.SliceOfN(rapid.IntRange(slabMax, 3<<20), 1, 60).Draw(rt, "sizes") {
			for size := int64(ClassSize(n)); used+size > limit; {
				k := rapid.IntRange(0, len(held)-1).Draw(rt, "released")
				used -= held[k].Size()
				held[k].Release()
				held = append(held[:k], held[k+1:]...)
			}
			b, err := acct.Alloc(n)
			if err != nil {
				rt.Fatalf("%d bytes with %d of %d in use: %v", n, used, limit, err)
			}
			used += b.Size()
			for i := 0; i < n; i += 4096 {
				b.Bytes()[i] = 1
			}
			held = append(held, b)
			if pool.Used() > limit {
				rt.Fatalf("%d bytes resident, limit %d", pool.Used(), limit)
			}
		}
		for _, b := range held {
			b.Release()
		}
		if err := errors.Join(acct.Close(), pool.Close()); err != nil {
			rt.Fatal(err)
		}
	})
}

// What the kernel has resident of a pool stays within what the pool counts, huge pages included.
func TestResidentMemoryIsCounted(t *testing.T) {
	const limit = 600 << 20
	pool := NewPool(limit)
	acct := pool.Account("test", 0)
	before := residentBytes(t)
	r := rand.New(rand.NewPCG(1, 2))
	var held []*Buf
	for range 3000 {
		b, err := acct.Alloc(1 << (12 + r.IntN(14)))
		for err != nil && len(held) > 0 {
			k := r.IntN(len(held))
			held[k].Release()
			held[k] = held[len(held)-1]
			held = held[:len(held)-1]
			b, err = acct.Alloc(1 << 20)
		}
		for i := 0; i < len(b.Bytes()); i += 4096 {
			b.Bytes()[i] = 1
		}
		held = append(held, b)
		if got, counted := residentBytes(t)-before, pool.Used(); got > counted+16<<20 {
			t.Fatalf("%d MiB resident, %d MiB counted", got>>20, counted>>20)
		}
	}
	for _, b := range held {
		b.Release()
	}
	if err := errors.Join(acct.Close(), pool.Close()); err != nil {
		t.Error(err)
	}
}

// residentBytes returns the anonymous memory of this process.
func residentBytes(t *testing.T) int64 {
	t.Helper()
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("SKIPPED: the resident memory of a process cannot be read here")
	}
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "RssAnon:" {
			n, err := strconv.ParseInt(f[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Skip("SKIPPED: the kernel does not tell anonymous memory")
	return 0
}
