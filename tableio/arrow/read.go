package arrow

import (
	"context"
	"errors"
	"fmt"
	"io"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
	"pqjoin/tableio/format"
)

// stream reads some columns of a unit.
type stream struct {
	f      *File
	acct   *mem.Account
	h      vfs.File
	schema *batch.Schema
	want   []int // positions among the file's columns
	unit   unit
	at     int // the next record batch
	open   *record
	dicts  map[int64]*batch.Column
	step   int
	err    error
}

// maxBatch bounds the bytes of the fixed-width values of a batch.
const maxBatch = 32 << 20

// Read opens a stream over columns of a unit; the caller closes it.
func (f *File) Read(ctx context.Context, acct *mem.Account, u int, cols []int, types []batch.Type, o format.ReadOptions) (batch.Stream, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	h, err := f.Handle()
	if err != nil {
		return nil, err
	}
	s := &stream{f: f, acct: acct, h: h, schema: f.schema.Select(cols), unit: f.units[u], at: f.units[u].from, step: o.BatchRows, dicts: map[int64]*batch.Column{}}
	for i, t := range types {
		s.schema.Fields[i].Type = t
	}
	for _, c := range cols {
		s.want = append(s.want, f.at[c])
	}
	if s.step <= 0 {
		s.step = batch.Rows
	}
	s.step = max(min(s.step, maxBatch/max(s.schema.RowWidth(8), 1)), 1)
	if err := s.loadDicts(ctx); err != nil {
		return nil, errors.Join(f.fail(err), s.Close())
	}
	return s, nil
}

// Next returns the next rows.
func (s *stream) Next(ctx context.Context) (*batch.Batch, error) {
	if s.err != nil {
		return nil, s.err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b, err := s.next()
	if err != nil && err != io.EOF {
		err = s.f.fail(err)
	}
	if err != nil {
		s.err = err
	}
	return b, err
}

func (s *stream) next() (*batch.Batch, error) {
	for s.open == nil || s.open.left == 0 {
		s.open.close()
		s.open = nil
		if s.at == s.unit.to {
			return nil, io.EOF
		}
		var err error
		if s.open, err = s.f.openRecord(s.acct, s.h, &s.f.batches[s.at], false, s.f.all, s.want, s.step); err != nil {
			return nil, err
		}
		s.at++
	}
	return s.open.next(s.schema, s.step, s.dicts)
}

// Close releases what the stream holds.
func (s *stream) Close() error {
	s.err = errors.New("arrow: read of a closed stream")
	s.open.close()
	s.open = nil
	for _, d := range s.dicts {
		d.Release()
	}
	s.dicts = nil
	if s.h == nil {
		return nil
	}
	h := s.h
	s.h = nil
	return h.Close()
}

// dictMessages returns the messages that make a dictionary as it is at a unit's end.
func (f *File) dictMessages(id int64, u unit) (out []message) {
	if u.from == u.to {
		return nil
	}
	for i, m := range f.dicts[id] {
		if i > 0 && m.seq > f.batches[u.to-1].seq && !f.footed() {
			break
		}
		if !m.delta {
			out = out[:0]
		}
		out = append(out, m)
	}
	return out
}

// footed says whether the file's messages were found by a footer, where dictionaries come before all record batches.
func (f *File) footed() bool {
	for _, ds := range f.dicts {
		for _, d := range ds {
			if len(f.batches) > 0 && d.seq > f.batches[0].seq {
				return false
			}
		}
	}
	return true
}

// loadDicts reads the dictionaries of the columns that are read.
func (s *stream) loadDicts(ctx context.Context) error {
	for _, w := range s.want {
		c := &s.f.all[w]
		if _, ok := s.dicts[c.dict]; !c.coded || ok {
			continue
		}
		d, err := s.loadDict(ctx, c)
		if err != nil {
			return fmt.Errorf("the dictionary of column %s: %w", c.field.Name, err)
		}
		s.dicts[c.dict] = d
	}
	return nil
}

func (s *stream) loadDict(ctx context.Context, c *column) (*batch.Column, error) {
	values := c.values() // what the dictionary holds
	schema := batch.NewSchema(batch.Field{Name: c.field.Name, Type: c.field.Type, Nullable: true})
	var pieces []*batch.Batch
	defer func() {
		for _, b := range pieces {
			b.Release()
		}
	}()
	for _, m := range s.f.dictMessages(c.dict, s.unit) {
		r, err := s.f.openRecord(s.acct, s.h, &m, true, []column{values}, []int{0}, s.step)
		if err != nil {
			return nil, err
		}
		for r.left > 0 {
			b, err := r.next(schema, s.step, nil)
			if err == nil {
				err = ctx.Err()
				pieces = append(pieces, b)
			}
			if err != nil {
				r.close()
				return nil, err
			}
		}
		r.close()
	}
	all, err := batch.Concat(s.acct, schema, pieces)
	if err != nil {
		return nil, err
	}
	return all.Cols[0], nil
}

// values is the column of a dictionary's values.
func (c *column) values() column {
	v := *c
	v.coded, v.nodes, v.views = false, 1, 0
	switch v.layout {
	case layoutVar:
		v.buffers = 3
	case layoutView:
		v.buffers, v.views = 2, 1
	default:
		v.buffers = 2
	}
	return v
}

// ReadFloor returns what reading takes: buffers that are decompressed whole or the windows of decompressors, dictionaries twice, as they are put together.
func (f *File) ReadFloor(u int, cols []int) int64 {
	h, err := f.Handle()
	if err != nil {
		return 0 // the read will say so
	}
	defer h.Close()
	var want []int
	dicts := map[int64]int64{}
	most := int64(0)
	for _, c := range cols {
		want = append(want, f.at[c])
	}
	for i := f.units[u].from; i < f.units[u].to; i++ {
		parts, err := f.layoutOf(h, &f.batches[i], false, f.all, want)
		if err != nil {
			return most
		}
		most = max(most, floorOf(h, parts))
	}
	for _, w := range want {
		c := &f.all[w]
		if !c.coded {
			continue
		}
		dicts[c.dict] = 0
		values := c.values() // what the dictionary holds
		for _, m := range f.dictMessages(c.dict, f.units[u]) {
			parts, err := f.layoutOf(h, &m, true, []column{values}, []int{0})
			if err != nil {
				return most
			}
			n := floorOf(h, parts)
			for i := range parts[0].places {
				n += 2 * parts[0].places[i].raw
			}
			dicts[c.dict] += n
		}
	}
	for _, n := range dicts {
		most += n
	}
	return most
}

func floorOf(h io.ReaderAt, parts []part) (n int64) {
	more := int64(0)
	for i := range parts {
		p := &parts[i]
		n += p.windows()
		for j := range p.places {
			pl := &p.places[j]
			if pl.prefix(h) != nil {
				continue
			}
			if j >= 2 && p.col.layout == layoutView && pl.codec != codecNone && pl.raw > wholeBytes {
				n += pl.raw
			}
			held, opening := pl.cost(h)
			n, more = n+held, max(more, opening)
		}
	}
	return n + more
}

var _ batch.Stream = (*stream)(nil)
