package parquet

import (
	"context"
	"sort"

	"pqjoin/batch"
)

// cutter is where in the table the next row goes. Its decisions are functions of the rows alone.
type cutter struct {
	group    *rowGroup
	slab     slab
	slabRaw  int64
	fileOpen bool
	fileRows int64
	fileSeq  int // number of the file's first row group
	nextSeq  int
	due      bool // the file is long enough: it ends before the next change of the leading key
	last     lastKey
}

// groupSize is what is known of a row group.
type groupSize struct{ raw, encoded int64 }

// Short batches, and those of up to joinRows and joinBytes of whose buffers a third is empty, are joined before
// they are encoded: a buffer takes 4 KiB however few rows it has.
const (
	smallBatch = 256
	joinRows   = 1024
	joinBytes  = 2 << 20
	joinFree   = 512 << 10 // of the batches that wait, which the floor has room for anyway
)

type smallState struct {
	rows  int
	bytes int64
}

// Write appends the rows of b, of which it takes ownership, also when it fails. It blocks while too much is in flight.
func (w *Writer) Write(ctx context.Context, b *batch.Batch) error {
	if err := w.failed(); err != nil {
		b.Release()
		return err
	}
	short, err := w.short(b)
	if err != nil {
		b.Release()
		return err
	}
	if !short {
		if err := w.join(ctx, true); err != nil {
			b.Release()
			return err
		}
		return w.add(ctx, b)
	}
	w.small = append(w.small, b)
	w.tiny.rows += b.N
	w.tiny.bytes += b.Bytes()
	if w.tiny.rows >= joinRows || w.tiny.bytes >= joinBytes {
		return w.join(ctx, false)
	}
	return nil
}

// short says whether a batch waits to be joined with others.
func (w *Writer) short(b *batch.Batch) (bool, error) {
	if b.N < smallBatch || b.N >= min(joinRows, w.limits.rows) {
		return b.N < smallBatch, nil
	}
	return w.empty(b)
}

// empty says whether most of a batch's buffers is empty, or a third of one that holds little.
func (w *Writer) empty(b *batch.Batch) (bool, error) {
	raw, err := w.measure(b)
	if err != nil {
		return false, err
	}
	defer raw.release()
	values := raw.of(0, b.N)
	return b.Bytes() > 4*values || values < joinBytes && 2*b.Bytes() > 3*values, nil
}

// join adds the short batches that wait, as one; unless all must go, it keeps that one waiting
// while its buffers are mostly empty.
func (w *Writer) join(ctx context.Context, all bool) error {
	if len(w.small) == 0 {
		return nil
	}
	b, err := w.joined()
	w.small, w.tiny = nil, smallState{}
	if err != nil {
		return err
	}
	if !all && b.N < min(joinRows, w.limits.rows) {
		empty, err := w.empty(b)
		if err != nil {
			b.Release()
			return err
		}
		if empty {
			w.small, w.tiny = append(w.small, b), smallState{rows: b.N, bytes: b.Bytes()}
			return nil
		}
	}
	return w.add(ctx, b)
}

// joined concatenates the short batches, column by column, so that at no time two copies of more
// than one column exist. It takes over the batches.
func (w *Writer) joined() (*batch.Batch, error) {
	parts := w.small
	if len(parts) == 1 {
		return parts[0], nil
	}
	out := &batch.Batch{Schema: w.schema, N: w.tiny.rows}
	var err error
	for i := range w.schema.Fields {
		one := w.schema.Select([]int{i})
		cols := make([]*batch.Batch, len(parts))
		for k, p := range parts {
			cols[k] = &batch.Batch{Schema: one, Cols: p.Cols[i : i+1], N: p.N}
		}
		if err == nil {
			var b *batch.Batch
			if b, err = batch.Concat(w.opts.Acct, one, cols); err == nil {
				out.Cols = append(out.Cols, b.Cols[0])
			}
		}
		for _, p := range cols {
			p.Release()
		}
	}
	if err != nil {
		out.Release()
		return nil, err
	}
	return out, nil
}

// add cuts the batch and hands on what is complete.
func (w *Writer) add(ctx context.Context, b *batch.Batch) error {
	defer b.Release()
	raw, err := w.measure(b)
	if err != nil {
		return err
	}
	defer raw.release()
	c := &w.cut
	for i := 0; i < b.N; {
		if c.group == nil {
			if err := w.openGroup(ctx, b, i); err != nil {
				return err
			}
		}
		j := w.fit(b, i, raw)
		if j > i {
			c.slab.parts = append(c.slab.parts, slabPart{b.Retain(), i, j})
			c.slab.rows += j - i
			c.slabRaw += raw.of(i, j)
			c.group.rows += int64(j - i)
			c.group.raw += raw.of(i, j)
			c.fileRows += int64(j - i)
		}
		if j < b.N || c.slab.rows >= w.limits.rows || w.fileFull() && !c.due {
			if err := w.close(ctx, b, j, raw); err != nil {
				return err
			}
		}
		i = j
	}
	if b.N > 0 {
		w.remember(b, b.N-1)
	}
	return nil
}

// fit returns up to which row the batch's rows from i on go to the open slab.
func (w *Writer) fit(b *batch.Batch, i int, raw *rowSizes) int {
	c, l := &w.cut, &w.limits
	j := min(b.N, i+l.rows-c.slab.rows, i+l.groupRows-int(c.group.rows))
	if left := w.opts.FileRows - c.fileRows; w.dir && w.opts.FileRows > 0 && left > 0 {
		j = int(min(int64(j), int64(i)+left))
	}
	if l.variable {
		j = raw.upTo(i, j, l.bytes-c.slabRaw, c.slab.rows == 0)
		j = raw.upTo(i, j, l.groupRaw-c.group.raw, c.group.rows == 0)
	}
	if c.due {
		j = w.sameKey(b, i, j)
	}
	return j
}

// close ends what row j of b (or the next batch's first row, where j is b.N) does not fit: the slab, and
// the row group, and the file.
func (w *Writer) close(ctx context.Context, b *batch.Batch, j int, raw *rowSizes) error {
	c := &w.cut
	full := c.group.rows >= int64(w.limits.groupRows)
	if j < b.N && w.limits.variable && c.group.raw+raw.of(j, j+1) > w.limits.groupRaw {
		full = true
	}
	newKey := c.due && j < b.N && w.changes(b, j)
	if w.fileFull() {
		if len(w.opts.SortKeys) == 0 || c.fileRows >= 2*w.opts.FileRows {
			newKey = true
		}
		c.due = true
	}
	if err := w.submit(ctx); err != nil {
		return err
	}
	if newKey {
		return w.endFile(ctx)
	}
	if full {
		return w.endGroup(ctx)
	}
	return nil
}

// fileFull says whether the file has as many rows as asked for.
func (w *Writer) fileFull() bool {
	return w.dir && w.opts.FileRows > 0 && w.cut.fileRows >= w.opts.FileRows
}

// submit hands the open slab to the encoders, waiting for its turn.
func (w *Writer) submit(ctx context.Context) error {
	c := &w.cut
	if c.slab.rows == 0 {
		return nil
	}
	select {
	case w.sched.slabs <- struct{}{}:
	case <-w.dead:
		return w.failed()
	case <-ctx.Done():
		return ctx.Err()
	}
	sl := &slab{parts: c.slab.parts, rows: c.slab.rows}
	c.slab, c.slabRaw = slab{}, 0
	w.sched.submit(c.group, sl)
	return nil
}

// endGroup says that the open row group is complete. Its slabs have been submitted.
func (w *Writer) endGroup(ctx context.Context) error {
	g := w.cut.group
	w.cut.group = nil
	w.sched.end(g)
	return w.hand(ctx, command{group: g})
}

// endFile ends the row group and the file.
func (w *Writer) endFile(ctx context.Context) error {
	c := &w.cut
	if c.group != nil {
		if err := w.submit(ctx); err != nil {
			return err
		}
		if err := w.endGroup(ctx); err != nil {
			return err
		}
	}
	c.fileOpen, c.fileRows, c.due, c.fileSeq = false, 0, false, c.nextSeq
	return w.hand(ctx, command{})
}

// rowSizes knows the raw bytes of any run of a batch's rows.
type rowSizes struct {
	fixed int64
	ends  []int64 // with byte strings: bytes of all rows up to and including this one
	buf   workBuf
}

func (r *rowSizes) release() { r.buf.release() }

func (r *rowSizes) of(i, j int) int64 {
	if r.ends == nil || i == j {
		return r.fixed * int64(j-i)
	}
	if i == 0 {
		return r.ends[j-1]
	}
	return r.ends[j-1] - r.ends[i-1]
}

// upTo returns the last j' in [i, j] such that rows [i, j') take at most budget bytes, but at least one row if first.
func (r *rowSizes) upTo(i, j int, budget int64, first bool) int {
	if r.of(i, j) <= budget {
		return j
	}
	n := sort.Search(j-i, func(k int) bool { return r.of(i, i+k+1) > budget })
	if n == 0 && first && j > i {
		n = 1
	}
	return i + n
}

// measure adds up the raw bytes of b's rows.
func (w *Writer) measure(b *batch.Batch) (*rowSizes, error) {
	r := &rowSizes{fixed: w.limits.fixed}
	if !w.limits.variable {
		return r, nil
	}
	buf, err := r.buf.get(w.opts.Acct, 8*b.N)
	if err != nil {
		return nil, err
	}
	r.ends = batch.View[int64](buf)
	for i := range r.ends {
		r.ends[i] = r.fixed
	}
	for _, c := range b.Cols {
		if c.Type.Kind() != batch.KindBytes {
			continue
		}
		if c.Dict == nil && c.Valid == nil {
			for i := range r.ends {
				r.ends[i] += int64(c.Off[i+1] - c.Off[i])
			}
			continue
		}
		if c.Valid == nil {
			for i, k := range c.Codes[:b.N] {
				r.ends[i] += int64(c.Dict.Off[k+1] - c.Dict.Off[k])
			}
			continue
		}
		for i := range r.ends {
			r.ends[i] += valueBytes(c, i)
		}
	}
	sum := int64(0)
	for i, n := range r.ends {
		sum += n
		r.ends[i] = sum
	}
	return r, nil
}
