package arrow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

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
	for i, c := range cols {
		if why := f.Unread(c); why != "" && (types == nil || !f.ReadsAs(c, types[i])) {
			return nil, f.fail(fmt.Errorf("%w: column %s is %s, which is not read", format.ErrUnsupported, f.schema.Fields[c].Name, why))
		}
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
	b, err := s.open.next(s.schema, s.step, s.dicts)
	var bad *misfit
	if errors.As(err, &bad) {
		for _, m := range s.f.batches[:s.at-1] {
			bad.row += m.rows
		}
	}
	return b, err
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

// dictMessages returns the messages that make a dictionary as it is at a unit's end: the last whole one before, and what was added to it.
func (f *File) dictMessages(id int64, u unit) []message {
	ds := f.dicts[id]
	if u.from == u.to || len(ds) == 0 {
		return nil
	}
	to, _ := slices.BinarySearchFunc(ds, f.batches[u.to-1].seq, func(m message, seq int32) int { return cmp.Compare(m.seq, seq) })
	to = max(to, 1) // the first may come late, where all was null before
	from := to - 1
	for from > 0 && ds[from].delta {
		from--
	}
	return ds[from:to]
}

// loadDicts reads the dictionaries of the columns that are read.
func (s *stream) loadDicts(ctx context.Context) error {
	for _, w := range s.want {
		for c := range s.f.all[w].coders() {
			if _, ok := s.dicts[c.dict]; ok {
				continue
			}
			d, err := s.loadDict(ctx, c)
			if err != nil {
				return fmt.Errorf("the dictionary of column %s: %w", c.field.Name, err)
			}
			s.dicts[c.dict] = d
		}
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
		more, err := s.dictPieces(ctx, &m, values, schema)
		pieces = append(pieces, more...)
		if err != nil {
			return nil, err
		}
	}
	all, err := batch.Concat(s.acct, schema, pieces)
	if err != nil {
		return nil, err
	}
	return all.Cols[0], nil
}

// dictPieces returns the values of one message of a dictionary; with an error, those before it.
func (s *stream) dictPieces(ctx context.Context, m *message, values column, schema *batch.Schema) (out []*batch.Batch, err error) {
	r, err := s.f.openRecord(s.acct, s.h, m, true, []column{values}, []int{0}, s.step)
	if err != nil {
		return nil, err
	}
	defer r.close()
	for _, pl := range r.parts[0].places {
		if pl.raw > batch.MaxData {
			return nil, malformedf("it has %d bytes in one buffer, more than can be held", pl.raw)
		}
	}
	for r.left > 0 {
		b, err := r.next(schema, s.step, nil)
		if err != nil {
			return out, err
		}
		out = append(out, b)
		if err := ctx.Err(); err != nil {
			return out, err
		}
	}
	return out, nil
}

// values is the column of a dictionary's values.
func (c *column) values() column {
	v := *c
	v.coded, v.nested, v.nodes, v.own = false, false, 1, buffers{2, 0}
	switch v.layout {
	case layoutVar:
		v.own = buffers{3, 0}
	case layoutView:
		v.own = buffers{2, 1}
	}
	v.buffers, v.views = v.own.buffers, v.own.views
	return v
}

// maxFloor is more memory than there is; a few such can be added up.
const maxFloor = 1 << 56

// ReadFloor returns what reading takes: buffers that are decompressed whole or the windows of decompressors, dictionaries twice, as they are put together.
// Sizes that files state may be any: what reading refuses does not count, and no sum is beyond maxFloor.
func (f *File) ReadFloor(ctx context.Context, u int, cols []int) int64 {
	h, err := f.Handle()
	if err != nil {
		return 0 // the read will say so
	}
	defer h.Close()
	var want []int
	for _, c := range cols {
		want = append(want, f.at[c])
	}
	most := int64(0)
	for i := f.units[u].from; i < f.units[u].to && ctx.Err() == nil; i++ {
		parts, err := f.layoutOf(h, &f.batches[i], false, f.all, want)
		if err != nil {
			return most
		}
		most = max(most, floorOf(h, parts))
	}
	seen := map[int64]bool{}
	for _, w := range want {
		for c := range f.all[w].coders() {
			if !seen[c.dict] {
				seen[c.dict] = true
				most = min(most+f.dictFloor(h, c, f.units[u]), maxFloor)
			}
		}
	}
	return most
}

// dictFloor returns what reading a dictionary takes.
func (f *File) dictFloor(h io.ReaderAt, c *column, u unit) (n int64) {
	values := c.values()
	for _, m := range f.dictMessages(c.dict, u) {
		parts, err := f.layoutOf(h, &m, true, []column{values}, []int{0})
		if err != nil {
			return n
		}
		n += floorOf(h, parts)
		for _, pl := range parts[0].places {
			if pl.raw <= batch.MaxData {
				n += 2 * pl.raw
			}
		}
		n = min(n, maxFloor)
	}
	return n
}

func floorOf(h io.ReaderAt, parts []part) (n int64) {
	more := int64(0)
	for i := range parts {
		if parts[i].nested() { // rows as they are put together, and as they grow
			n += int64(mem.ClassSize(rowBytes) + mem.ClassSize(2*rowBytes))
		}
		parts[i].each(func(p *part) {
			held, opening := p.floor(h)
			n, more = min(n+held, maxFloor), max(more, opening)
		})
	}
	return n + more
}

// floor returns what reading a part takes while it is open, and more while it is opened.
func (p *part) floor(h io.ReaderAt) (n, more int64) {
	n = p.windows()
	for j := range p.places {
		pl := &p.places[j]
		if pl.prefix(h) != nil {
			continue
		}
		if j >= 2 && p.layout() == layoutView && pl.codec != codecNone && pl.raw > wholeBytes && pl.raw <= batch.MaxData {
			n += pl.raw
		}
		held, opening := pl.cost(h)
		n, more = min(n+held, maxFloor), max(more, opening)
	}
	return n, more
}

var _ batch.Stream = (*stream)(nil)
