package mem

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

const (
	minClassBits = 12      // the smallest buffer is 4 KiB
	slabSize     = 1 << 18 // buffers under slabMax are carved from slabs of this size
	slabMax      = 1 << 16
	nearClasses  = 3       // up to 1.75 times as large
	hugePage     = 2 << 20 // of the hosts that we know
	numClasses   = 4 * (48 - minClassBits)
)

// Pool hands out mmap'ed buffers in size classes, four to a doubling (so at most
// 25 % is lost to rounding), and never maps more than its limit. It is safe for
// concurrent use.
type Pool struct {
	limit   int64
	protect bool

	mu         sync.Mutex
	mapped     int64 // bytes mapped: in use, cached, and the rest of slabs
	reserved   int64 // bytes promised to owners that allocate elsewhere
	peak       int64 // highest mapped + reserved
	free       [numClasses][]piece
	reclaimers map[int]Reclaimer
	nextID     int
}

// A Reclaimer gives back memory when the pool runs out: it frees at least want
// bytes if it can, and returns how many it freed. It is called without locks of the
// pool held and must not allocate from the pool.
type Reclaimer func(want int64) (freed int64, err error)

// piece is one buffer's memory, alone in a mapping (slab nil) or carved from a slab.
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

// NewPool returns a pool that maps at most limit bytes.
func NewPool(limit int64, opts ...Option) *Pool {
	p := &Pool{limit: limit, reclaimers: map[int]Reclaimer{}}
	for _, o := range opts {
		o(p)
	}
	return p
}

// Limit returns the most bytes the pool will hold.
func (p *Pool) Limit() int64 { return p.limit }

// Used returns the bytes held now (buffers in use, cached buffers, reservations).
func (p *Pool) Used() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mapped + p.reserved
}

// Peak returns the highest value Used has had.
func (p *Pool) Peak() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.peak
}

// AddReclaimer registers r; the returned function removes it again.
func (p *Pool) AddReclaimer(r Reclaimer) (remove func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id := p.nextID
	p.nextID++
	p.reclaimers[id] = r
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.reclaimers, id)
	}
}

// ClassSize returns the bytes a buffer of n bytes really takes.
func ClassSize(n int) int {
	_, size := class(n)
	return size
}

// class returns the index and the size in bytes of the smallest class that holds n bytes.
func class(n int) (idx, size int) {
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
	if len(p.free[idx]) == 0 {
		if near := p.near(idx, size); near > idx {
			idx = near
		} else if ok, err := p.grow(idx, size); !ok || err != nil {
			return piece{}, false, err
		}
	}
	last := len(p.free[idx]) - 1
	pc := p.free[idx][last]
	p.free[idx] = p.free[idx][:last]
	if pc.slab != nil {
		pc.slab.live++
	} else if p.protect {
		if err := unix.Mprotect(pc.b[:cap(pc.b)], unix.PROT_READ|unix.PROT_WRITE); err != nil {
			return piece{}, false, fmt.Errorf("unprotect a buffer: %w", err)
		}
	}
	return pc, true, nil
}

// near returns a slightly larger class that has a cached buffer, where a new mapping would
// cost cached ones: to unmap and map is far dearer than what the larger buffer wastes. It
// goes back to its own class in the end. Else it returns idx.
func (p *Pool) near(idx, size int) int {
	if size < slabMax || p.mapped+p.reserved+int64(size) <= p.limit {
		return idx
	}
	for k := idx + 1; k <= idx+nearClasses; k++ {
		if len(p.free[k]) > 0 {
			return k
		}
	}
	return idx
}

// grow maps memory for class idx, dropping cached memory of other classes to make room.
func (p *Pool) grow(idx, size int) (bool, error) {
	want := int64(size)
	if size < slabMax {
		want = slabSize
	}
	if p.mapped+p.reserved+want > p.limit {
		p.trim(want)
		if p.mapped+p.reserved+want > p.limit {
			return false, nil
		}
	}
	m, err := unix.Mmap(-1, 0, int(want), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return false, fmt.Errorf("map %d bytes: %w", want, err)
	}
	if want >= hugePage {
		_ = unix.Madvise(m, unix.MADV_HUGEPAGE) // fewer faults and misses of the TLB; none the worse where there are no huge pages
	}
	p.mapped += want
	p.peak = max(p.peak, p.mapped+p.reserved)
	if size >= slabMax {
		p.free[idx] = append(p.free[idx], piece{b: m})
		return true, nil
	}
	s := &slab{mem: m}
	for at := 0; at+size <= len(m); at += size {
		p.free[idx] = append(p.free[idx], piece{b: m[at : at+size : at+size], slab: s})
	}
	return true, nil
}

// trim unmaps cached memory, largest classes first, until want bytes fit or none is left.
func (p *Pool) trim(want int64) {
	for idx := numClasses - 1; idx >= 0; idx-- {
		if p.mapped+p.reserved+want <= p.limit {
			return
		}
		kept := p.free[idx][:0]
		for _, pc := range p.free[idx] {
			switch {
			case pc.slab == nil && p.mapped+p.reserved+want > p.limit:
				p.unmap(pc.b)
			case pc.slab != nil && pc.slab.live == 0:
				if pc.slab.mem != nil {
					p.unmap(pc.slab.mem)
					pc.slab.mem = nil
				}
			default:
				kept = append(kept, pc)
			}
		}
		clear(p.free[idx][len(kept):])
		p.free[idx] = kept
	}
}

func (p *Pool) unmap(b []byte) {
	b = b[:cap(b)]
	if err := unix.Munmap(b); err != nil {
		panic(fmt.Sprintf("mem: unmap %d bytes: %v", len(b), err))
	}
	p.mapped -= int64(len(b))
}

func (p *Pool) give(idx int, pc piece) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if pc.slab != nil {
		pc.slab.live--
	} else if p.protect {
		if err := unix.Mprotect(pc.b[:cap(pc.b)], unix.PROT_NONE); err != nil {
			panic(fmt.Sprintf("mem: protect a buffer: %v", err))
		}
	}
	p.free[idx] = append(p.free[idx], pc)
}

// reserve promises n bytes that are allocated elsewhere.
func (p *Pool) reserve(who string, n int64) error {
	for round := 0; ; round++ {
		p.mu.Lock()
		if p.mapped+p.reserved+n > p.limit {
			p.trim(n)
		}
		ok := p.mapped+p.reserved+n <= p.limit
		if ok {
			p.reserved += n
			p.peak = max(p.peak, p.mapped+p.reserved)
		}
		p.mu.Unlock()
		if ok {
			return nil
		}
		if err := p.reclaim(who, n, round); err != nil {
			return err
		}
	}
}

func (p *Pool) unreserve(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reserved -= n
}

// ReclaimError is the error of a reclaimer, a store that could not spill, as whoever wanted memory
// gets it: what failed is elsewhere.
type ReclaimError struct{ Err error }

func (e *ReclaimError) Error() string { return e.Err.Error() }

// Unwrap returns the reclaimer's error.
func (e *ReclaimError) Unwrap() error { return e.Err }

// reclaim asks the reclaimers for n bytes; it fails when nobody can give anything.
func (p *Pool) reclaim(who string, n int64, round int) error {
	p.mu.Lock()
	rs := make([]Reclaimer, 0, len(p.reclaimers))
	for _, id := range slices.Sorted(maps.Keys(p.reclaimers)) { // the oldest first
		rs = append(rs, p.reclaimers[id])
	}
	used := p.mapped + p.reserved
	p.mu.Unlock()
	var freed int64
	for _, r := range rs {
		got, err := r(n - freed)
		if err != nil {
			return &ReclaimError{err}
		}
		if freed += got; freed >= n {
			break
		}
	}
	if freed > 0 && round < 1000 {
		return nil
	}
	return &LimitError{Consumer: who, Wanted: n, Used: used, Limit: p.limit}
}

// Squeeze asks every reclaimer for all that it can give, as if the pool had run out. It is for
// tests, which so make small data spill.
func (p *Pool) Squeeze() error {
	p.mu.Lock()
	rs := make([]Reclaimer, 0, len(p.reclaimers))
	for _, id := range slices.Sorted(maps.Keys(p.reclaimers)) { // the oldest first
		rs = append(rs, p.reclaimers[id])
	}
	p.mu.Unlock()
	for _, r := range rs {
		if _, err := r(math.MaxInt64); err != nil {
			return err
		}
	}
	return nil
}

// Close unmaps everything cached and reports memory still in use as an error.
func (p *Pool) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	limit := p.limit
	p.limit = -1 << 62
	p.trim(0)
	p.limit = limit
	if p.mapped != 0 || p.reserved != 0 {
		return fmt.Errorf("mem: pool closed with %d bytes mapped and %d reserved", p.mapped, p.reserved)
	}
	return nil
}

// Account is one owner's part of a pool: what it holds is counted, and its own
// limit, where it has one, holds besides the pool's. A nil *Account allocates from
// the Go heap and is for tests and for constants of a few bytes.
type Account struct {
	pool  *Pool
	name  string
	limit int64 // 0: the pool's
	used  atomic.Int64
	peak  atomic.Int64
}

// Account opens an account of at most limit bytes (0: as much as the pool has).
// name appears in errors: the operator or stage that owns it.
func (p *Pool) Account(name string, limit int64) *Account {
	return &Account{pool: p, name: name, limit: limit}
}

// Sub opens an account on the same pool as a (on the heap where a is nil).
func (a *Account) Sub(name string, limit int64) *Account {
	if a == nil {
		return nil
	}
	return a.pool.Account(name, limit)
}

// Pool returns the pool the account draws from; nil for a nil account.
func (a *Account) Pool() *Pool {
	if a == nil {
		return nil
	}
	return a.pool
}

// Used and Peak return bytes held now and at most.
func (a *Account) Used() int64 { return a.used.Load() }
func (a *Account) Peak() int64 { return a.peak.Load() }

// Limit returns the most bytes the account may hold.
func (a *Account) Limit() int64 {
	if a.limit > 0 {
		return min(a.limit, a.pool.limit)
	}
	return a.pool.limit
}

func (a *Account) charge(n int64) error {
	used := a.used.Load()
	for {
		if a.limit > 0 && used+n > a.limit {
			return &LimitError{Consumer: a.name, Wanted: n, Used: used, Limit: a.limit}
		}
		if a.used.CompareAndSwap(used, used+n) {
			break
		}
		used = a.used.Load()
	}
	used += n
	for {
		peak := a.peak.Load()
		if used <= peak || a.peak.CompareAndSwap(peak, used) {
			return nil
		}
	}
}

// Alloc returns a buffer of n usable bytes with one reference. Its content is
// undefined. The error wraps ErrLimit where memory ran out.
func (a *Account) Alloc(n int) (*Buf, error) {
	if a == nil {
		b := &Buf{b: make([]byte, n, max(n, 1))}
		b.refs.Store(1)
		return b, nil
	}
	idx, size := class(n)
	if err := a.charge(int64(size)); err != nil {
		return nil, err
	}
	pc, err := a.pool.take(a.name, idx, size)
	if err != nil {
		a.used.Add(-int64(size))
		return nil, err
	}
	b := &Buf{b: pc.b[:n:size], acct: a, piece: pc}
	b.refs.Store(1)
	return b, nil
}

// Reserve charges n bytes that the owner allocates elsewhere, for example inside a library.
func (a *Account) Reserve(n int64) error {
	if a == nil {
		return nil
	}
	if err := a.charge(n); err != nil {
		return err
	}
	if err := a.pool.reserve(a.name, n); err != nil {
		a.used.Add(-n)
		return err
	}
	return nil
}

// Unreserve gives back n bytes of Reserve.
func (a *Account) Unreserve(n int64) {
	if a == nil {
		return
	}
	a.used.Add(-n)
	a.pool.unreserve(n)
}

// Close reports bytes that were not given back.
func (a *Account) Close() error {
	if a == nil {
		return nil
	}
	if u := a.used.Load(); u != 0 {
		return fmt.Errorf("mem: account %s closed with %d bytes in use", a.name, u)
	}
	return nil
}

// Buf is a reference-counted piece of pool memory.
type Buf struct {
	b     []byte
	refs  atomic.Int32
	acct  *Account
	piece piece // may be larger than b
}

// Bytes returns the buffer's n bytes as allocated; its capacity is the size class.
func (b *Buf) Bytes() []byte { return b.b }

// Size returns the bytes charged for the buffer.
func (b *Buf) Size() int64 { return int64(cap(b.b)) }

// Retain adds a reference.
func (b *Buf) Retain() {
	if b.refs.Add(1) <= 1 {
		panic("mem: retain of a released buffer")
	}
}

// Release drops a reference; the last one returns the memory to the pool. Nil is fine.
func (b *Buf) Release() {
	if b == nil {
		return
	}
	switch n := b.refs.Add(-1); {
	case n > 0:
		return
	case n < 0:
		panic("mem: release of a released buffer")
	}
	if b.acct == nil {
		return
	}
	pc := b.piece
	b.acct.used.Add(-int64(cap(b.b)))
	b.b, b.piece = nil, piece{}
	idx, _ := class(cap(pc.b))
	b.acct.pool.give(idx, pc)
}
