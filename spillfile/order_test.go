package spillfile

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
)

// smallBlocks appends rows of random numbers to two partitions in blocks of 4 KiB, a batch for each unit, and spills all. It returns
// the partitions' rows in the order of units.
func smallBlocks(t *testing.T, limit int64, units []int, rows int) (s *Store, want [2][]int64) {
	t.Helper()
	pool, dir := mem.NewPool(limit), diskDir(t, vfs.OS(), 0)
	s, err := New(Spec{
		Name: "test", Schema: batch.NewSchema(batch.Field{Name: "v", Type: batch.Of(batch.Int64)}),
		Partitions: 2, Workers: 1, BlockBytes: 4 << 10, Acct: pool.Account("store", 0), Dir: dir,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeAll(t, s, pool, dir) })
	at := map[int][2][]int64{}
	r := rand.New(rand.NewPCG(1, 2))
	for _, unit := range units {
		c, err := batch.NewFixed(nil, batch.Of(batch.Int64), rows)
		if err != nil {
			t.Fatal(err)
		}
		part, of := make([]uint16, rows), [2][]int64{}
		for i := range rows {
			c.Int64s()[i], part[i] = r.Int64(), uint16(i%2)
			of[i%2] = append(of[i%2], c.Int64s()[i])
		}
		at[unit] = of
		if err := s.Append(context.Background(), 0, unit, part, &batch.Batch{Schema: s.Schema(), N: rows, Cols: []*batch.Column{c}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Seal(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Spill(context.Background(), 1<<40); err != nil {
		t.Fatal(err)
	}
	for unit := range len(units) {
		for p := range want {
			want[p] = append(want[p], at[unit][p]...)
		}
	}
	return s, want
}

// read streams a partition, and returns its values and the most pieces whose places were known at a time.
func read(t *testing.T, s *Store, p int) (got []int64, most int) {
	t.Helper()
	in, err := s.Stream(context.Background(), p, nil, nil, 1000)
	if err == nil {
		err = batchtest.Drain(in, func(b *batch.Batch) {
			got = append(got, b.Cols[0].Int64s()...)
			most = max(most, len(in.(*stream).r.order.pieces))
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return got, most
}

func TestUnitsInAnyOrderComeBackInOrderWhereverTheirPlacesAre(t *testing.T) {
	const n = 3000
	ascending := make([]int, n)
	for i := range ascending {
		ascending[i] = i
	}
	near, random, back := slices.Clone(ascending), slices.Clone(ascending), slices.Clone(ascending)
	r := rand.New(rand.NewPCG(3, 4))
	for i := 0; i+8 <= n; i += 8 {
		r.Shuffle(8, func(a, b int) { near[i+a], near[i+b] = near[i+b], near[i+a] })
	}
	r.Shuffle(n, func(a, b int) { random[a], random[b] = random[b], random[a] })
	slices.Reverse(back)
	for name, units := range map[string][]int{"ascending": ascending, "nearly ascending": near, "random": random, "descending": back} {
		s, want := smallBlocks(t, 1<<20, units, 300)
		for p := range want {
			if pages := len(s.parts[p].ledger.pages); pages < 5 {
				t.Fatalf("%s: only %d pages of places on disk", name, pages)
			}
			got, most := read(t, s, p)
			if diff := cmp.Diff(want[p], got); diff != "" {
				t.Fatalf("%s, partition %d: %s", name, p, diff)
			}
			if ordered := name == "ascending" || name == "nearly ascending"; ordered && most > n/3 {
				t.Errorf("%s: %d places were known at a time, of %d units", name, most, n)
			}
			b, err := s.Load(context.Background(), p, nil, nil)
			if err != nil || cmp.Diff(want[p], b.Cols[0].Int64s()) != "" {
				t.Errorf("%s, partition %d loaded: %v", name, p, err)
			}
			b.Release()
		}
	}
}

// TestPlacesOfWhatIsSpilledLieOnDisk bounds what a store has on the Go heap by the pages of its ledgers: their number grows
// with the blocks, but a page's place takes 16 bytes where its blocks' places took a hundred times that.
func TestPlacesOfWhatIsSpilledLieOnDisk(t *testing.T) {
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	units := make([]int, 2000)
	for i := range units {
		units[i] = i
	}
	before := heap()
	s, want := smallBlocks(t, 1<<20, units, 2000)
	rows := int64(8 * 8 * len(want[0])) // bytes of the rows, twice: in want, and as it was made
	st := s.Stats()
	after := heap()
	if st.Blocks < 7000 {
		t.Fatalf("only %d blocks", st.Blocks)
	}
	if grown := after - before - rows; grown > 12*st.Blocks {
		t.Errorf("%d blocks on disk take %d bytes of the heap", st.Blocks, grown)
	}
	pages := 0
	for p := range s.parts {
		if n := len(s.parts[p].chunks); n > 0 {
			t.Errorf("partition %d has %d chunks in memory", p, n)
		}
		pages += len(s.parts[p].ledger.pages)
	}
	if 16*int64(pages) > st.Blocks {
		t.Errorf("%d pages for %d blocks", pages, st.Blocks)
	}
	runtime.KeepAlive(want)
}

func TestAPageOfPlacesThatIsDamagedIsTold(t *testing.T) {
	for _, what := range []string{"flipped", "another's", "cut off"} {
		units := make([]int, 3000)
		for i := range units {
			units[i] = i
		}
		s, _ := smallBlocks(t, 1<<20, units, 300)
		l := &s.parts[0].ledger
		switch what {
		case "flipped":
			b := []byte{0}
			_, err := l.file.f.ReadAt(b, l.pages[0].off+blockHeader+9)
			b[0] ^= 4
			_, werr := l.file.f.WriteAt(b, l.pages[0].off+blockHeader+9)
			if err := errors.Join(err, werr); err != nil {
				t.Fatal(err)
			}
		case "another's":
			l.pages[0].off = s.parts[1].ledger.pages[0].off
		case "cut off":
			l.pages[len(l.pages)-1].off = l.file.size - 100
		}
		_, err := s.Load(context.Background(), 0, nil, nil)
		if !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
