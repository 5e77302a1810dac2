package groupby

import (
	"context"
	"errors"

	"pqjoin/batch"
	"pqjoin/mem"
)

// takeStates merges a batch of layout.state, and reports false where it must go elsewhere.
func (s *shared) takeStates(ctx context.Context, w *worker, b *batch.Batch) (bool, error) {
	p, err := w.route(s, b)
	if err == nil && p.long {
		return false, nil
	}
	var sorted *batch.Batch
	if err == nil {
		_, err = s.begin()
	}
	if err == nil && s.active() {
		sorted, err = batch.GatherBatch(s.acct, b, p.idx)
	}
	if errors.Is(err, mem.ErrLimit) {
		s.giveUp()
		return false, nil
	}
	if err != nil || sorted == nil {
		return false, err
	}
	defer sorted.Release()
	s.lay.keys.encode(sorted.Cols[:len(s.lay.keys.cols)], 0, b.N, p.words)
	at, words := 0, s.lay.keys.words
	for i, n := range p.counts {
		if n == 0 {
			continue
		}
		from := at
		at += int(n)
		ok, err := s.mergeStates(ctx, w, &s.parts[i], p.words[from*words:at*words], sorted, from)
		if err != nil {
			return false, err
		}
		if !ok {
			return true, s.sendRest(ctx, w, sorted, from)
		}
	}
	return true, nil
}

// mergeStates merges the groups of b from row at on whose keys words are, and reports false, before the first of them, where there is no
// memory for a table.
func (s *shared) mergeStates(ctx context.Context, w *worker, part *sharedPart, words []uint64, b *batch.Batch, at int) (bool, error) {
	part.table.Lock()
	defer part.table.Unlock()
	if err := s.makeTable(part); errors.Is(err, mem.ErrLimit) {
		s.giveUp()
		return false, nil
	} else if err != nil {
		return false, err
	}
	return true, s.upsert(ctx, w, part, words, func(t *table, lo int, ent []uint32) error {
		return t.mergeStates(b, at+lo, ent)
	})
}

// sendRest sends the groups of a batch of layout.state from row at on to the level.
func (s *shared) sendRest(ctx context.Context, w *worker, b *batch.Batch, at int) error {
	rest, err := b.Slice(s.acct, at, b.N)
	if err != nil {
		return err
	}
	return s.lev.appendTo(ctx, &s.lev.states, w.t, w.id, s.lev.unitOf(w.id, rest.N), rest, nil)
}
