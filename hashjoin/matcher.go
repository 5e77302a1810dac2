package hashjoin

import (
	"context"
	"fmt"
	"io"

	"pqjoin/batch"
	"pqjoin/mem"
)

// A matcher joins left batches with some right rows, in left order. It is used by one goroutine.
type matcher interface {
	// start takes the next left batch over.
	start(ctx context.Context, left *batch.Batch) error
	// next returns the next batch of output, or nil when the left batch is done.
	next(ctx context.Context) (*batch.Batch, error)
	// rest returns, after all left batches of a join that keeps them, the next batch of right rows without a
	// match, in right order; nil after the last one.
	rest(ctx context.Context) (*batch.Batch, error)
	// close releases what is held; it may be called more than once.
	close()
}

// tableMatcher probes a table.
type tableMatcher struct {
	prober
	table *RightTable
	owned bool // close releases the table
	only  unmatched
}

func newTableMatcher(j *join, acct *mem.Account, t *RightTable, owned bool) *tableMatcher {
	return &tableMatcher{prober: prober{j: j, acct: acct, dictMax: batch.Rows}, table: t, owned: owned}
}

func (m *tableMatcher) start(_ context.Context, left *batch.Batch) error {
	if err := m.only.need(&m.prober, m.table.rows.N); err != nil {
		left.Release()
		return err
	}
	return m.probe(m.table, left)
}

func (m *tableMatcher) next(context.Context) (*batch.Batch, error) { return m.prober.next() }

func (m *tableMatcher) rest(context.Context) (*batch.Batch, error) {
	if err := m.only.need(&m.prober, m.table.rows.N); err != nil {
		return nil, err
	}
	return m.only.next(&m.prober, m.table.rows)
}

func (m *tableMatcher) close() {
	m.prober.close()
	m.only.close()
	if m.owned {
		m.table.Release()
		m.table = nil
	}
}

// matchStream is the join of a left stream by a matcher; it owns both.
type matchStream struct {
	j     *join
	left  batch.Stream
	m     matcher
	check *leftOrderCheck // nil: left keys need not be unique
	open  bool            // a left batch is in hand
	tail  bool            // the left is done, the right rows without a match are not
	done  bool
	// want is how many left rows the stream must have; -1 where nobody knows.
	want int64
	got  int64
}

func (s *matchStream) Next(ctx context.Context) (*batch.Batch, error) {
	for {
		if s.done {
			return nil, io.EOF
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if s.open {
			b, err := s.m.next(ctx)
			if b != nil || err != nil {
				return b, err
			}
			s.open = false
		}
		if s.tail {
			b, err := s.m.rest(ctx)
			s.done = b == nil && err == nil
			if !s.done {
				return b, err
			}
			continue
		}
		if err := s.pull(ctx); err == io.EOF {
			s.tail = s.j.spec.Kind.keepsRight()
			s.done = !s.tail
			if s.want >= 0 && s.want != s.got {
				return nil, fmt.Errorf("%w: join %s: %d of %d left rows came", ErrSelfCheck, s.j.spec.Name, s.got, s.want)
			}
		} else if err != nil {
			return nil, err
		}
	}
}

// pull hands the next left batch to the matcher.
func (s *matchStream) pull(ctx context.Context) error {
	b, err := s.left.Next(ctx)
	if err != nil {
		return err
	}
	s.got += int64(b.N)
	s.j.left.Add(int64(b.N))
	if s.check != nil {
		if err := s.check.add(b); err != nil {
			b.Release()
			return err
		}
	}
	if b.N == 0 {
		b.Release()
		return nil
	}
	s.open = true
	return s.m.start(ctx, b)
}

func (s *matchStream) Close() error {
	if s.check != nil {
		s.check.close(s.done)
	}
	s.done = true
	s.m.close()
	return s.left.Close()
}
