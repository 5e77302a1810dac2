package hashjoin

import (
	"context"
	"errors"
	"fmt"
	"io"

	"pqjoin/batch"
	"pqjoin/mem"
)

// Hash joins two sides that are cut by key hash, partition by partition: it is the
// batch.Sink of the left side and then the batch.Source of the result, whose units are
// the partitions. Left rows come in the left's order within each final partition only.
type Hash struct {
	*join
	right   Store
	left    Store
	hashers []batch.Hasher
}

// NewHash returns the join of a finished right side with a left side that is yet to come.
// r stays the caller's, and open while the join runs.
func NewHash(r *Right) (*Hash, error) {
	left, err := r.spec.Stores(r.spec.Name+", left side", r.spec.Left, r.spec.Partitions, r.spec.Workers)
	if err != nil {
		return nil, err
	}
	return &Hash{join: r.join, right: r.st, left: left, hashers: make([]batch.Hasher, r.spec.Workers)}, nil
}

// Put takes left rows in.
func (h *Hash) Put(ctx context.Context, worker, unit int, b *batch.Batch) error {
	if h.spec.Kind.needsMatch() && !h.spec.NullsEqual {
		n := b.N
		var err error
		if b, err = dropNullKeys(h.spec.Acct, b, h.leftKeys.cols); err != nil {
			return err
		}
		h.join.left.Add(int64(n - b.N)) // the others are counted when they are joined
	}
	to := scatterTo{
		st: h.left, cut: cut{parts: h.spec.Partitions}, worker: worker, unit: unit,
		cols: h.leftKeys.cols, spread: !h.spec.NullsEqual, pass: h.semi,
	}
	return h.scatter(ctx, to, &h.hashers[worker], b)
}

// EndUnit does nothing: units are told apart by their numbers.
func (h *Hash) EndUnit(context.Context, int, int) error { return nil }

// Finish ends the left side; the result can be read after it.
func (h *Hash) Finish(ctx context.Context) error {
	h.semi.release()
	return h.left.Seal(ctx)
}

// Units returns the number of partitions.
func (h *Hash) Units() int { return h.spec.Partitions }

// Open joins one partition; acct pays for its table and the output.
func (h *Hash) Open(_ context.Context, unit int, acct *mem.Account) (batch.Stream, error) {
	s := &hashStream{h: h, acct: acct}
	s.todo = []pair{{left: part{h.left, unit}, right: part{h.right, unit}, even: h.join.right.Load() / int64(h.spec.Partitions)}}
	return s, nil
}

// Close gives the left rows back. Right is closed by its owner.
func (h *Hash) Close() error { return h.left.Close() }

// pair is a left and a right partition with the same hashes.
type pair struct {
	left, right part
	level       int
	heavy       bool  // one key owns it
	even        int64 // right rows it would have if every partition cut with it had as many
	of          *pieces
}

// pieces is the two stores that a pair was cut into, until all of them are joined.
type pieces struct {
	left, right Store
	rest        int
}

func (p *pieces) close() error {
	if p == nil {
		return nil
	}
	if p.rest--; p.rest > 0 {
		return nil
	}
	return errors.Join(p.left.Close(), p.right.Close())
}

// maxLevel bounds how often a partition is cut; what is still too large then is replayed.
const maxLevel = 8

// hashStream joins a pair of partitions, and the pairs that they are cut into.
type hashStream struct {
	h    *Hash
	acct *mem.Account
	todo []pair // the next one last
	cur  *matchStream
	now  pair
}

func (s *hashStream) Next(ctx context.Context) (*batch.Batch, error) {
	for {
		if s.cur != nil {
			b, err := s.cur.Next(ctx)
			if !errors.Is(err, io.EOF) {
				return b, err
			}
			if err := s.end(); err != nil {
				return nil, err
			}
		}
		if len(s.todo) == 0 {
			return nil, io.EOF
		}
		s.now = s.todo[len(s.todo)-1]
		s.todo = s.todo[:len(s.todo)-1]
		if err := s.begin(ctx); err != nil {
			return nil, errors.Join(err, s.now.of.close())
		}
	}
}

// end gives back the pair that is done.
func (s *hashStream) end() error {
	err := s.cur.Close()
	s.cur = nil
	s.now.left.st.Drop(s.now.left.p)
	s.now.right.st.Drop(s.now.right.p)
	return errors.Join(err, s.now.of.close())
}

// begin chooses how to join the pair in hand: by a table, by replay, or cut into smaller pairs.
func (s *hashStream) begin(ctx context.Context) error {
	j, x := s.h.join, s.now
	if j.spec.Validate.LeftUnique() && x.level == 0 {
		if err := j.leftUnique(ctx, s.acct, x.left); err != nil {
			return err
		}
	}
	m, err := s.matcher(ctx)
	if err != nil {
		return err
	}
	if m == nil {
		return s.cut(ctx)
	}
	left, err := x.left.stream(ctx, s.acct, min(batch.Rows, max(j.spec.BatchRows, 1024)))
	if err != nil {
		m.close()
		return err
	}
	s.cur = &matchStream{j: j, left: left, m: m, want: x.left.rows()}
	return nil
}

// matcher returns what joins the pair in hand as it is; nil where it must be cut first.
func (s *hashStream) matcher(ctx context.Context) (matcher, error) {
	j, x := s.h.join, s.now
	if x.right.tableBytes() <= j.spec.PartBytes && x.right.rows() <= maxTableRows {
		t, err := j.loadTable(ctx, s.acct, x.right)
		if err == nil {
			return newTableMatcher(j, s.acct, t, true), nil
		}
		if !errors.Is(err, mem.ErrLimit) {
			return nil, err
		}
	}
	if !x.heavy && x.level < maxLevel {
		return nil, nil
	}
	if err := j.rightUnique(ctx, s.acct, x.right); err != nil {
		return nil, err
	}
	return newReplay(j, s.acct, x.right, batch.Rows), nil
}

// loadTable loads x and builds its table.
func (j *join) loadTable(ctx context.Context, acct *mem.Account, x part) (*RightTable, error) {
	if x.rows() == 0 {
		return emptyTable(j)
	}
	b, err := x.load(ctx, acct)
	if err != nil {
		return nil, err
	}
	if want := x.rows(); int64(b.N) != want {
		b.Release()
		return nil, fmt.Errorf("%w: join %s: %d of %d right rows came", ErrSelfCheck, j.spec.Name, b.N, want)
	}
	return j.table(acct, b)
}

func (s *hashStream) Close() error {
	var err error
	if s.cur != nil {
		err = errors.Join(s.cur.Close(), s.now.of.close())
		s.cur = nil
	}
	for _, x := range s.todo {
		err = errors.Join(err, x.of.close())
	}
	s.todo = nil
	return err
}
