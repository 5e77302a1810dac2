package spillfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"pqjoin/internal/parallel"
	"pqjoin/mem"
)

// verifyAll reads every block of a restored store once, partitions by several workers, and compares it with its checksum.
func (s *Store) verifyAll(ctx context.Context) error {
	v := verifier{s: s, done: make([]bool, len(s.parts)), told: make([]int, len(s.parts)), bad: len(s.parts)}
	v.run(ctx, s.spec.Workers)
	if errors.Is(v.err, mem.ErrLimit) && s.spec.Workers > 1 { // of memory for one there may be enough
		v = verifier{s: s, done: v.done, told: v.told, next: v.bad, bad: len(s.parts)}
		v.run(ctx, 1)
	}
	if v.err != nil {
		return v.err
	}
	rows := int64(0)
	for p := range s.parts {
		rows += s.parts[p].rows
	}
	if rows != s.rowsIn() {
		return s.named(fmt.Errorf("%d rows of %d: %w", rows, s.rowsIn(), ErrCorrupt))
	}
	return nil
}

// verifier goes through partitions in ascending order. Its error is that of the first that has one, whoever finds which.
type verifier struct {
	s    *Store
	mu   sync.Mutex
	done []bool // partitions that are sound
	told []int  // chunks of each that Verified knows of
	next int    // the partition that is begun next
	bad  int    // what has an error; nothing behind it is begun
	err  error
}

func (v *verifier) run(ctx context.Context, workers int) {
	parallel.Run(min(workers, len(v.s.parts)), func(int) {
		for p, ok := v.begin(); ok; p, ok = v.begin() {
			v.end(p, v.s.verifyPart(ctx, p, &v.told[p]))
		}
	})
}

func (v *verifier) begin() (p int, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for v.next < v.bad && v.done[v.next] {
		v.next++
	}
	p = v.next
	v.next++
	return p, p < v.bad
}

func (v *verifier) end(p int, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.done[p] = err == nil; err != nil && p < v.bad {
		v.bad, v.err = p, err
	}
}

// verifyPart reads a partition. Verified is told of the chunks behind those that it knows of.
func (s *Store) verifyPart(ctx context.Context, p int, told *int) error {
	r := s.newReader(p, s.spec.Acct, []int{})
	defer r.close()
	s.readAhead(p)
	for i := 1; ; i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		k, err := r.order.ledger.chunk()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		o, err := r.openChunk(k)
		if err != nil {
			return s.named(err)
		}
		o.buf.Release()
		if s.spec.Verified != nil && i > *told {
			*told = i
			s.spec.Verified(k.rows(), int64(k.stored), s.rowsIn())
		}
	}
}

// rows returns the rows of the chunk's blocks.
func (k *chunk) rows() (n int64) {
	for _, b := range k.blocks {
		n += int64(b.rows)
	}
	return n
}
