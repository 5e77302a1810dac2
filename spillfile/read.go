package spillfile

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/s2"

	"pqjoin/batch"
	"pqjoin/mem"
)

// reader goes through a partition in sequence order. At a time it holds the chunks that
// it is in the middle of: about one for each worker that appended.
type reader struct {
	s      *Store
	p      int
	acct   *mem.Account
	cols   []int
	order  *order
	coded  []bool // by column of variable width: all blocks hold codes
	chunks map[*chunk]*openChunk
	blocks map[*placedBlock]*openBlock
	want   []int         // by column of the store: 1 + its position in cols; 0 where it is not read
	spare  [][]colReader // of blocks read to the end
}

// openChunk is a chunk's raw bytes, in memory for as long as blocks of it are wanted.
type openChunk struct {
	k    *chunk
	raw  []byte
	buf  *mem.Buf
	mine bool // read from disk; else the chunk's own memory, pinned
	left int  // blocks not yet read to the end
}

type openBlock struct {
	cols  []colReader
	left  int // rows not yet decoded
	chunk *openChunk
}

func (s *Store) newReader(p int, acct *mem.Account, cols []int) *reader {
	if cols == nil {
		cols = make([]int, len(s.cols))
		for i := range cols {
			cols[i] = i
		}
	}
	part := &s.parts[p]
	part.mu.Lock()
	if part.readers++; part.readers == 1 {
		defer part.cached.restart()
	}
	defer part.mu.Unlock()
	if part.dropped {
		panic(fmt.Sprintf("spillfile: %s: partition %d is read after Drop", s.spec.Name, p))
	}
	r := &reader{
		s: s, p: p, acct: acct, cols: cols, order: s.newOrder(p),
		coded: make([]bool, s.vars), chunks: map[*chunk]*openChunk{}, blocks: map[*placedBlock]*openBlock{}, want: make([]int, len(s.cols)),
	}
	for i, c := range cols {
		r.want[c] = i + 1
	}
	for v := range r.coded {
		r.coded[v] = part.coded != nil && part.allCodes(v)
	}
	return r
}

func (r *reader) close() {
	for _, o := range r.chunks {
		r.closeChunk(o)
	}
	part := &r.s.parts[r.p]
	part.mu.Lock()
	part.readers--
	last := part.readers == 0
	part.mu.Unlock()
	if last {
		r.s.unask(part)
	}
}

// block opens a block.
func (r *reader) block(b *placedBlock) (*openBlock, error) {
	if o := r.blocks[b]; o != nil {
		return o, nil
	}
	c := r.chunks[b.k]
	if c == nil {
		var err error
		if c, err = r.openChunk(b.k); err != nil {
			return nil, err
		}
		r.chunks[b.k] = c
	}
	cols := make([]colReader, len(r.cols))
	if k := len(r.spare) - 1; k >= 0 {
		cols, r.spare = r.spare[k], r.spare[:k]
	}
	problem := openColumns(r.s, cols, r.want, int(b.rows), c.raw[b.pos+blockHeader:b.pos+b.size])
	if problem != "" {
		return nil, corrupt(r.s, r.p, b.seq, "%s", problem)
	}
	o := &openBlock{cols: cols, left: int(b.rows), chunk: c}
	r.blocks[b] = o
	return o, nil
}

// done says that rows of a block have been decoded, and checks the block when that was the last of it.
func (r *reader) done(b *placedBlock, o *openBlock, rows int) error {
	if o.left -= rows; o.left > 0 {
		return nil
	}
	for i := range o.cols {
		if c := &o.cols[i]; c.got != c.sum {
			name := r.s.spec.Schema.Fields[r.cols[i]].Name
			return r.s.named(fmt.Errorf("partition %d, block %d, column %s: %w", r.p, b.seq, name, ErrLost))
		}
	}
	delete(r.blocks, b)
	r.spare = append(r.spare, o.cols)
	if o.chunk.left--; o.chunk.left == 0 {
		r.closeChunk(o.chunk)
	}
	return nil
}

func (r *reader) closeChunk(o *openChunk) {
	delete(r.chunks, o.k)
	if !o.mine {
		part := &r.s.parts[r.p]
		part.mu.Lock()
		o.k.pins--
		part.mu.Unlock()
	}
	o.buf.Release()
}

// openChunk pins a chunk's memory, or reads it from disk and verifies it.
func (r *reader) openChunk(k *chunk) (*openChunk, error) {
	part := &r.s.parts[r.p]
	part.mu.Lock()
	o := &openChunk{k: k, left: len(k.blocks)}
	if k.buf != nil {
		k.pins++
		k.buf.Retain()
		o.buf, o.raw = k.buf, k.buf.Bytes()[:k.used]
		part.mu.Unlock()
		return o, nil
	}
	part.mu.Unlock()
	o.mine = true
	stored, err := r.acct.Alloc(k.stored)
	if err != nil {
		return nil, err
	}
	if _, err := k.file.f.ReadAt(stored.Bytes(), k.off); err != nil {
		stored.Release()
		if errors.Is(err, io.EOF) {
			return nil, corrupt(r.s, r.p, k.blocks[0].seq, "the file ends early")
		}
		return nil, fmt.Errorf("read back %s: %w", r.s.spec.Name, err)
	}
	r.s.arrived(part, k)
	r.s.readAhead(r.p)
	if o.buf, err = r.verify(stored, k); err != nil {
		return nil, err
	}
	o.raw = o.buf.Bytes()[:k.used]
	return o, nil
}

// verify checks every block of a chunk as stored, and returns its raw bytes. It takes over the reference to stored.
func (r *reader) verify(stored *mem.Buf, k *chunk) (*mem.Buf, error) {
	raw, in := stored, stored.Bytes()
	if k.s2 {
		defer stored.Release()
		var err error
		if raw, err = r.acct.Alloc(k.used); err != nil {
			return nil, err
		}
	}
	for _, b := range k.blocks {
		var to []byte
		if k.s2 {
			to = raw.Bytes()[b.pos+blockHeader : b.pos+b.size]
		}
		n, problem := r.verifyBlock(in, to, b)
		if problem != "" {
			raw.Release()
			return nil, corrupt(r.s, r.p, b.seq, "%s", problem)
		}
		in = in[n:]
	}
	return raw, nil
}

// verifyBlock checks the block at the beginning of in and returns its stored bytes. It decompresses to to, where that is not nil.
func (r *reader) verifyBlock(in, to []byte, b block) (n int, problem string) {
	if len(in) < blockHeader {
		return 0, "it is cut off"
	}
	if binary.LittleEndian.Uint32(in) != blockMagic {
		return 0, "it is no block"
	}
	h := getHeader(in)
	if h.length > uint64(len(in)-blockHeader) {
		return 0, "its length is wrong"
	}
	n = blockHeader + int(h.length)
	payload := in[blockHeader:n]
	want := r.s.header(r.p, int(b.seq), b.rows, int(b.size)-blockHeader)
	want.length, want.codec = h.length, h.codec
	switch {
	case checksumOf(in) != checksum(in[8:blockHeader], payload):
		return 0, "its checksum does not match"
	case h != want:
		return 0, "it is another block"
	case h.codec == codecS2 && to != nil:
		if m, err := s2.DecodedLen(payload); err != nil || m != len(to) {
			return 0, "it does not decompress"
		}
		if _, err := s2.Decode(to, payload); err != nil {
			return 0, "it does not decompress"
		}
	case h.codec != codecNone || h.length != h.raw:
		return 0, "its codec is unknown"
	default:
		copy(to, payload)
	}
	return n, ""
}

// Load returns partition p as one batch of flat columns, or columns of codes with Spec.Codes (those at cols, all where cols
// is nil), in sequence order. Its memory comes from acct: PartStats.Raw bytes, and a chunk
// or two while it is read. The error wraps ErrCorrupt or ErrLost where what comes back is not what was appended.
func (s *Store) Load(ctx context.Context, p int, acct *mem.Account, cols []int) (*batch.Batch, error) {
	r := s.newReader(p, acct, cols)
	defer r.close()
	s.readAhead(p)
	part := &s.parts[p]
	data := make([]int, len(r.cols))
	for i, c := range r.cols {
		if v := s.cols[c].varIdx; v >= 0 && part.vars != nil {
			data[i] = int(part.vars[v])
		}
	}
	out, err := r.newOutput(int(part.rows), data)
	if err != nil {
		return nil, s.named(err)
	}
	if err := r.fillAll(ctx, out); err != nil {
		out.b.Release()
		return nil, err
	}
	return s.finish(r, out)
}

// fillAll decodes the whole partition to out.
func (r *reader) fillAll(ctx context.Context, out *output) error {
	for {
		pc, err := r.order.peek()
		if pc == nil || err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		r.order.next++
		if out.row+int(pc.rows) > out.b.N {
			return r.s.named(fmt.Errorf("partition %d: more than its %d rows: %w", r.p, out.b.N, ErrLost))
		}
		if err := r.fill(out, *pc); err != nil {
			return err
		}
	}
}

// finish checks that the output is full, and hands it out.
func (s *Store) finish(r *reader, out *output) (*batch.Batch, error) {
	if out.row != out.b.N {
		out.b.Release()
		return nil, s.named(fmt.Errorf("partition %d: %d of %d rows: %w", r.p, out.row, out.b.N, ErrLost))
	}
	for _, c := range out.b.Cols {
		c.SetNulls()
	}
	s.rowsOut.Add(int64(out.b.N))
	return out.b, nil
}

// output is a batch that is being filled.
type output struct {
	b    *batch.Batch
	row  int
	data []int // bytes so far, by column
}

// newOutput makes a batch of n rows with room for data[i] bytes in column i.
func (r *reader) newOutput(n int, data []int) (*output, error) {
	schema := r.s.spec.Schema.Select(r.cols)
	out := &output{b: &batch.Batch{Schema: schema, N: n}, data: make([]int, len(r.cols))}
	for i, f := range schema.Fields {
		var c *batch.Column
		var err error
		if v := r.s.cols[r.cols[i]].varIdx; v >= 0 && r.coded[v] {
			if c, err = batch.NewCodes(r.acct, r.s.dicts[v].col.Retain(), n); err != nil {
				r.s.dicts[v].col.Release()
			}
		} else if f.Type.Kind() == batch.KindBytes {
			if c, err = batch.NewVar(r.acct, f.Type, n, data[i]); err == nil {
				c.Off[0] = 0
			}
		} else {
			c, err = batch.NewFixed(r.acct, f.Type, n)
		}
		if err != nil {
			out.b.Release()
			return nil, err
		}
		out.b.Cols = append(out.b.Cols, c)
		if r.s.nullable[r.cols[i]].Load() && n > 0 {
			if err := c.NewValid(r.acct); err != nil {
				out.b.Release()
				return nil, err
			}
		}
	}
	return out, nil
}

// fill decodes a piece to the next rows of out.
func (r *reader) fill(out *output, pc piece) error {
	o, err := r.block(pc.at)
	if err != nil {
		return r.s.named(err)
	}
	from, n := int(pc.from), int(pc.rows)
	for i := range o.cols {
		end := o.cols[i].into(out.b.Cols[i], out.row, out.data[i], from, n)
		if end < 0 {
			return corrupt(r.s, r.p, pc.at.seq, "lengths or codes of values")
		}
		out.data[i] = end
	}
	out.row += n
	return r.done(pc.at, o, n)
}
