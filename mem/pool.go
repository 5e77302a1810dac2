package mem

import (
	"errors"
	"fmt"
	"math/bits"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

const (
	minClassBits = 12      // the smallest buffer is 4 KiB
	slabSize     = 1 << 18 // buffers under slabMax are carved from slabs of this size
	slabMax      = 1 << 16
	slabClasses  = 4 * (16 - minClassBits)
	largeMin     = 1 << 19
	largeStep    = 1 << 16
	numClasses   = 4 * (48 - minClassBits)
	arenaSize    = 64 << 20 // a mapping has at least so many bytes, or the pool's limit; what is not touched costs nothing
	hugeMin      = 16 << 20 // buffers of at least so much ask for huge pages: tables with random access gain, short-lived buffers lose
)

// Pool hands out buffers in size classes, four to a doubling (so at most 25 % is lost to
// rounding), and large ones in steps of 64 KiB, from mappings of its own, and never keeps more than its limit resident. Memory
// moves freely between the classes: free pages are merged and cut anew. It is safe for concurrent use.
type Pool struct {
	limit   int64
	protect bool

	mu         sync.Mutex
	resident   int64    // bytes that may be in memory: in use, warm, and the rest of slabs
	reserved   int64    // bytes promised to owners that allocate elsewhere
	peak       int64    // highest resident + reserved
	inUse      int64    // of the resident ones
	warm, cold *extents // free pages that are resident, and those that are not
	arenas     [][]byte // all mappings
	huge       bool     // some pages were asked for as huge ones
	free       [slabClasses][]piece
	reclaimers map[int]Reclaimer
	nextID     int
}

// piece is one buffer's memory, pages of its own (slab nil) or carved from a slab.
type piece struct {
	b    []byte
	slab *slab
}

type slab struct {
	mem  []byte
	live int // pieces handed out
}

// Option changes how a pool behaves.
type Option func(*Pool)

// Protect makes a released buffer of 64 KiB or more unreadable until it is handed
// out again, so that a late read faults. For tests.
func Protect() Option { return func(p *Pool) { p.protect = true } }

// NewPool returns a pool that keeps at most limit bytes resident.
func NewPool(limit int64, opts ...Option) *Pool {
	p := &Pool{limit: limit, warm: newExtents(), cold: newExtents(), reclaimers: map[int]Reclaimer{}}
	for _, o := range opts {
		o(p)
	}
	return p
}

// Limit returns the most bytes the pool will hold.
func (p *Pool) Limit() int64 { return p.limit }

// Used returns the bytes held now (buffers in use, warm pages, reservations).
func (p *Pool) Used() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.resident + p.reserved
}

// Peak returns the highest value Used has had.
func (p *Pool) Peak() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.peak
}

// ClassSize returns the bytes a buffer of n bytes really takes.
func ClassSize(n int) int {
	_, size := class(n)
	return size
}

// class returns the bytes that a buffer of n bytes takes, and the size class that a smaller one belongs to:
// large buffers are whole stretches of pages, and waste less.
func class(n int) (idx, size int) {
	if n > largeMin {
		return -1, (n + largeStep - 1) &^ (largeStep - 1)
	}
	return sizeClass(n)
}

// sizeClass returns the index and the size in bytes of the smallest class that holds n bytes, four to a doubling.
func sizeClass(n int) (idx, size int) {
	if n <= 1<<minClassBits {
		return 0, 1 << minClassBits
	}
	e := bits.Len(uint(n-1)) - 1 // 2^e < n <= 2^(e+1)
	step := 1 << (e - 2)
	q := (n - 1<<e + step - 1) / step // 1..4 quarter steps above 2^e
	return 4*(e-minClassBits) + q, 1<<e + q*step
}

// take returns a piece of class idx, or an error that wraps ErrLimit.
func (p *Pool) take(who string, idx, size int) (piece, error) {
	for round := 0; ; round++ {
		pc, ok, err := p.tryTake(idx, size)
		if ok || err != nil {
			return pc, err
		}
		if err := p.reclaim(who, int64(size), round); err != nil {
			if !errors.Is(err, ErrLimit) {
				return piece{}, err
			}
			if pc, ok, terr := p.tryTake(idx, size); ok || terr != nil {
				return pc, terr // somebody gave memory back meanwhile
			}
			return piece{}, err
		}
	}
}

func (p *Pool) tryTake(idx, size int) (piece, bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if size >= slabMax {
		b, err := p.pages(size)
		return piece{b: b}, b != nil, err
	}
	if len(p.free[idx]) == 0 {
		if err := p.carve(idx, size); err != nil || len(p.free[idx]) == 0 {
			return piece{}, false, err
		}
	}
	last := len(p.free[idx]) - 1
	pc := p.free[idx][last]
	p.free[idx] = p.free[idx][:last]
	pc.slab.live++
	return pc, true, nil
}

// carve makes a slab's pieces of class idx; there may be no room for one.
func (p *Pool) carve(idx, size int) error {
	m, err := p.pages(slabSize)
	if m == nil || err != nil {
		return err
	}
	s := &slab{mem: m}
	for at := 0; at+size <= len(m); at += size {
		p.free[idx] = append(p.free[idx], piece{b: m[at : at+size : at+size], slab: s})
	}
	return nil
}

// pages returns size bytes of whole pages: warm ones, or others where the limit
// leaves room for them once warm ones have been given back. nil where it does not.
func (p *Pool) pages(size int) ([]byte, error) {
	b := p.warm.take(size)
	if b == nil {
		var err error
		if b, err = p.warmUp(size); b == nil || err != nil {
			return nil, err
		}
	}
	p.inUse += int64(size)
	if p.protect {
		if err := unix.Mprotect(b, unix.PROT_READ|unix.PROT_WRITE); err != nil {
			return nil, fmt.Errorf("unprotect a buffer: %w", err)
		}
	}
	return b, nil
}

// warmUp takes size bytes of cold pages, where there is room for them.
func (p *Pool) warmUp(size int) ([]byte, error) {
	if !p.room(int64(size)) {
		return nil, nil
	}
	b := p.cold.take(size)
	if b == nil {
		if err := p.mapArena(size); err != nil {
			return nil, err
		}
		b = p.cold.take(size)
	}
	if size >= hugeMin {
		p.huge = true
		_ = unix.Madvise(b, unix.MADV_HUGEPAGE) // none the worse where there are no huge pages
	}
	p.resident += int64(size)
	p.peak = max(p.peak, p.resident+p.reserved)
	return b, nil
}

// mapArena maps memory for at least size bytes. It takes none yet: pages come when they are touched.
func (p *Pool) mapArena(size int) error {
	_, least := sizeClass(size) // extents are found by class
	n := max(least, int(min(arenaSize, p.limit))&^(1<<minClassBits-1))
	m, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE|unix.MAP_NORESERVE)
	if err != nil {
		return fmt.Errorf("map %d bytes: %w", n, err)
	}
	_ = unix.Madvise(m, unix.MADV_NOHUGEPAGE) // or a small buffer's first touch would make a whole huge page resident
	p.arenas = append(p.arenas, m)
	p.cold.add(m)
	return nil
}

// room says whether want more bytes may become resident, after warm pages have been given back where they must.
func (p *Pool) room(want int64) bool {
	over := func() int64 { return p.resident + p.reserved + want - p.limit }
	if over() > 0 && over() > p.warm.bytes {
		p.emptySlabs()
	}
	if over() > p.warm.bytes {
		return false
	}
	for over() > 0 {
		p.chill(p.warm.largest(), over())
	}
	return true
}

// chill gives the pages of a free run back to the kernel, n bytes at least where it has them; the rest stays warm.
func (p *Pool) chill(b []byte, n int64) {
	const page = 1 << minClassBits
	if cut := (n + page - 1) &^ (page - 1); cut < int64(len(b)) {
		p.warm.add(b[cut:])
		b = b[:cut:cut]
	}
	if p.huge {
		_ = unix.Madvise(b, unix.MADV_NOHUGEPAGE)
	}
	if err := unix.Madvise(b, unix.MADV_DONTNEED); err != nil {
		panic(fmt.Sprintf("mem: give back %d bytes: %v", len(b), err))
	}
	p.resident -= int64(len(b))
	p.cold.add(b)
}

// emptySlabs turns slabs of which nothing is in use into warm pages.
func (p *Pool) emptySlabs() {
	for idx := range p.free {
		kept := p.free[idx][:0]
		for _, pc := range p.free[idx] {
			switch {
			case pc.slab.live > 0:
				kept = append(kept, pc)
			case pc.slab.mem != nil:
				p.release(pc.slab.mem)
				pc.slab.mem = nil
			}
		}
		clear(p.free[idx][len(kept):])
		p.free[idx] = kept
	}
}

func (p *Pool) give(idx int, pc piece) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if pc.slab != nil {
		pc.slab.live--
		p.free[idx] = append(p.free[idx], pc)
		return
	}
	p.release(pc.b)
}

// release makes pages warm.
func (p *Pool) release(b []byte) {
	if p.protect {
		if err := unix.Mprotect(b, unix.PROT_NONE); err != nil {
			panic(fmt.Sprintf("mem: protect a buffer: %v", err))
		}
	}
	p.inUse -= int64(len(b))
	p.warm.add(b)
}

// reserve promises n bytes that are allocated elsewhere.
func (p *Pool) reserve(who string, n int64) error {
	for round := 0; ; round++ {
		if p.tryReserve(n) {
			return nil
		}
		if err := p.reclaim(who, n, round); err != nil {
			if errors.Is(err, ErrLimit) && p.tryReserve(n) {
				return nil // somebody gave memory back meanwhile
			}
			return err
		}
	}
}

func (p *Pool) tryReserve(n int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.room(n) {
		return false
	}
	p.reserved += n
	p.peak = max(p.peak, p.resident+p.reserved)
	return true
}

func (p *Pool) unreserve(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reserved -= n
}

// Close unmaps everything, and reports memory still in use as an error, which stays mapped then.
func (p *Pool) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.emptySlabs()
	if p.inUse != 0 || p.reserved != 0 {
		return fmt.Errorf("mem: pool closed with %d bytes in use and %d reserved", p.inUse, p.reserved)
	}
	arenas := p.arenas // nobody unmaps them again after an error: the addresses may be somebody else's by then
	p.arenas, p.warm, p.cold, p.resident = nil, newExtents(), newExtents(), 0
	return unmap(arenas)
}

// unmap gives mappings back to the kernel, which takes some 70 ms a GB at the end of a run, so all cores do it:
// freeing pages goes on side by side, unmapping does not.
func unmap(mappings [][]byte) error {
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, m := range mappings {
		g.Go(func() error {
			if err := unix.Madvise(m, unix.MADV_DONTNEED); err != nil {
				return fmt.Errorf("give back %d bytes: %w", len(m), err)
			}
			return nil
		})
	}
	err := g.Wait()
	for _, m := range mappings {
		if uerr := unix.Munmap(m); uerr != nil {
			err = errors.Join(err, fmt.Errorf("unmap %d bytes: %w", len(m), uerr))
		}
	}
	return err
}
