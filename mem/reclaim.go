package mem

import (
	"maps"
	"math"
	"slices"
)

// A Reclaimer gives back memory when the pool runs out: it frees at least want
// bytes if it can, and returns how many it freed. It is called without locks of the
// pool held and must not allocate from the pool.
type Reclaimer func(want int64) (freed int64, err error)

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

// ReclaimError is the error of a reclaimer, a store that could not spill, as whoever wanted memory
// gets it: what failed is elsewhere.
type ReclaimError struct{ Err error }

func (e *ReclaimError) Error() string { return e.Err.Error() }

// Unwrap returns the reclaimer's error.
func (e *ReclaimError) Unwrap() error { return e.Err }

// reclaim asks the reclaimers for n bytes; it fails when nobody can give anything.
func (p *Pool) reclaim(who string, n int64, round int) error {
	rs, used := p.byAge(), p.Used()
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

// byAge returns the reclaimers, the oldest first.
func (p *Pool) byAge() []Reclaimer {
	p.mu.Lock()
	defer p.mu.Unlock()
	rs := make([]Reclaimer, 0, len(p.reclaimers))
	for _, id := range slices.Sorted(maps.Keys(p.reclaimers)) {
		rs = append(rs, p.reclaimers[id])
	}
	return rs
}

// Squeeze asks every reclaimer for all that it can give, as if the pool had run out. It is for
// tests, which so make small data spill.
func (p *Pool) Squeeze() error {
	for _, r := range p.byAge() {
		if _, err := r(math.MaxInt64); err != nil {
			return err
		}
	}
	return nil
}
