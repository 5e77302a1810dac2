package mem

import (
	"fmt"
	"sync/atomic"
)

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
	b := &Buf{b: pc.b[:n], acct: a, class: idx, slab: pc.slab}
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
	class int
	slab  *slab
}

// Bytes returns the buffer's n bytes as allocated; its capacity is what it takes of the pool.
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
	full := b.b[:cap(b.b)]
	b.b = nil
	b.acct.used.Add(-int64(len(full)))
	b.acct.pool.give(b.class, piece{b: full, slab: b.slab})
}
