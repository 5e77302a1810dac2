package parquet

import (
	"bytes"
	"context"
	"math"
	"slices"

	"pqjoin/batch"
	"pqjoin/internal/parallel"
)

// command is what the committer does next: write a row group, or end the file (group nil).
type command struct{ group *rowGroup }

// fileLag is how many row groups back a file's size is known: never fewer than may be open, so
// that the decision where a file ends is the same however far encoding has come.
const fileLag = maxGroups

// hand passes c to the committer.
func (w *Writer) hand(ctx context.Context, c command) error {
	select {
	case w.commits <- c:
		return nil
	case <-w.dead:
		return w.failed()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// openGroup opens the row group that row i of b begins, and ends the file first where it is long enough.
func (w *Writer) openGroup(ctx context.Context, b *batch.Batch, i int) error {
	select {
	case w.groups <- struct{}{}:
	case <-w.dead:
		return w.failed()
	case <-ctx.Done():
		return ctx.Err()
	}
	c := &w.cut
	if c.fileOpen && w.dir {
		if size := w.estimate(); size >= w.opts.FileSize {
			c.due = true
			if len(w.opts.SortKeys) == 0 || size/2 >= w.opts.FileSize {
				if err := w.endFile(ctx); err != nil {
					return err
				}
			}
		}
		if c.due && w.changes(b, i) {
			if err := w.endFile(ctx); err != nil {
				return err
			}
		}
	}
	c.fileOpen = true
	g := &rowGroup{seq: c.nextSeq, fields: w.fields, done: make(chan struct{}), chunks: make([]chunkWriter, len(w.leaves))}
	for k := range g.chunks {
		g.chunks[k] = chunkWriter{leaf: &w.leaves[k], opts: &w.chunkOpts, codec: w.chunkOpts.codec}
		if slices.ContainsFunc(w.opts.Bloom, func(field int) bool { return w.fields[field].first == k }) {
			g.chunks[k].bloom = &bloomFilter{acct: w.opts.Acct, rows: w.limits.groupRows}
		}
		g.chunks[k].data.acct, g.chunks[k].dictPage.acct = w.opts.Acct, w.opts.Acct
	}
	w.share(g)
	c.nextSeq++
	c.group = g
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open = append(w.open, g)
	return nil
}

// share divides the group's columns into lanes.
func (w *Writer) share(g *rowGroup) {
	n := min(len(g.fields), maxLanes)
	if n == 0 {
		close(g.done)
		return
	}
	g.lanes, g.left = make([]lane, n), n
	for k := range g.lanes {
		g.lanes[k] = lane{group: g, lo: k * len(g.fields) / n, hi: (k + 1) * len(g.fields) / n}
	}
}

// estimate returns the bytes of the open file's row groups: encoded ones, and for the last
// fileLag, which may not be encoded yet, raw ones scaled by how well the others did.
func (w *Writer) estimate() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	known := max(w.cut.nextSeq-fileLag, 0)
	var raw, encoded, size int64
	for _, s := range w.sizes[:known] {
		raw, encoded = raw+s.raw, encoded+s.encoded
	}
	for i := w.cut.fileSeq; i < w.cut.nextSeq; i++ {
		switch {
		case i < known:
			size += w.sizes[i].encoded
		case raw > 0:
			size += int64(float64(w.raw(i)) * (float64(encoded) / float64(raw)))
		default:
			size += w.raw(i)
		}
	}
	return size
}

// raw returns the raw bytes of a complete row group.
func (w *Writer) raw(seq int) int64 {
	if seq < len(w.sizes) {
		return w.sizes[seq].raw
	}
	k := slices.IndexFunc(w.open, func(g *rowGroup) bool { return g.seq == seq })
	return w.open[k].raw
}

// commit writes row groups in order as they are finished, and ends files. It runs until the
// commands end or something fails.
func (w *Writer) commit() {
	defer close(w.done)
	var p *partFile
	t := &thriftOut{}
	for c := range w.commits {
		if w.failed() != nil {
			break
		}
		var err error
		if p, err = w.carryOut(c, p, t); err != nil {
			w.fail(err)
			break
		}
	}
	if p != nil {
		p.drop()
	}
}

// carryOut carries out a command, with the open file, and returns the file that is open then: nil where there is none. A panic is an error.
func (w *Writer) carryOut(c command, p *partFile, t *thriftOut) (open *partFile, err error) {
	open = p
	defer parallel.Contain(&err)
	if open == nil {
		if c.group == nil && len(w.sum.Files) > 0 {
			return nil, nil // nothing since the last file ended
		}
		if open, err = w.createPart(); err != nil {
			return nil, err
		}
	}
	if c.group != nil {
		return open, w.commitGroup(open, t, c.group)
	}
	err = open.finish(w)
	w.sum.Files = append(w.sum.Files, open.sum)
	w.sum.Rows += open.sum.Rows
	w.sum.Bytes += open.sum.Bytes
	return nil, err
}

func (w *Writer) commitGroup(p *partFile, t *thriftOut, g *rowGroup) error {
	select {
	case <-g.done:
	case <-w.dead:
		return w.failed()
	}
	if err := w.failed(); err != nil { // a chunk that failed counts as finished
		return err
	}
	size, err := p.add(t, g)
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.open = w.open[1:]
	w.sizes = append(w.sizes, groupSize{raw: g.raw, encoded: size})
	w.sum.RawBytes += g.raw
	w.mu.Unlock()
	<-w.groups
	return nil
}

// lastKey is the leading key of the last row, kept where files are cut between keys.
type lastKey struct {
	has, null bool
	word      uint64
	wide      batch.Int128
	bytes     []byte
}

// remember keeps the leading key of row i.
func (w *Writer) remember(b *batch.Batch, i int) {
	if w.dir && len(w.opts.SortKeys) > 0 {
		k := keyAt(b.Cols[w.opts.SortKeys[0].Column], i)
		k.bytes = append(w.cut.last.bytes[:0], k.bytes...)
		w.cut.last = k
	}
}

// changes says whether row i's leading key is another than that of the row before.
func (w *Writer) changes(b *batch.Batch, i int) bool {
	if len(w.opts.SortKeys) == 0 {
		return true
	}
	c := b.Cols[w.opts.SortKeys[0].Column]
	before := w.cut.last
	if i > 0 {
		before = keyAt(c, i-1)
	}
	return !before.equal(keyAt(c, i))
}

// sameKey returns the first row in [i, j) whose leading key differs from the row's before it, else j.
func (w *Writer) sameKey(b *batch.Batch, i, j int) int {
	for k := i; k < j; k++ {
		if w.changes(b, k) {
			return k
		}
	}
	return j
}

func (k lastKey) equal(o lastKey) bool {
	if k.has != o.has || k.null != o.null {
		return false
	}
	return k.null || k.word == o.word && k.wide == o.wide && bytes.Equal(k.bytes, o.bytes)
}

// keyAt returns row i's value; zeros of either sign are one, and so are all NaN.
func keyAt(c *batch.Column, i int) lastKey {
	k := lastKey{has: true, null: c.IsNull(i)}
	if k.null {
		return k
	}
	if c.Dict != nil {
		c, i = c.Dict, int(c.Codes[i])
	}
	switch c.Type.Kind() {
	case batch.KindBytes:
		k.bytes = c.Value(i)
	case batch.KindBool:
		k.word = uint64(c.Fixed[i])
	case batch.KindInt128:
		k.wide = c.Int128s()[i]
	case batch.KindFloat64:
		switch v := c.Float64s()[i]; {
		case v == 0:
		case v != v:
			k.word = math.Float64bits(math.NaN())
		default:
			k.word = math.Float64bits(v)
		}
	default:
		k.word = uint64(c.Int64s()[i])
	}
	return k
}
