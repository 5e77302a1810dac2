package spillfile

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/klauspost/compress/s2"

	"pqjoin/batch"
	"pqjoin/mem"
)

// piece is a segment's place: rows [from, from+rows) of block seq.
type piece struct {
	unit, rows, from int32
	seq              int32
}

// reader goes through a partition in sequence order. At a time it holds the chunks that
// it is in the middle of: about one for each worker that appended.
type reader struct {
	s      *Store
	p      int
	acct   *mem.Account
	cols   []int
	order  []piece
	next   int
	coded  []bool // by column of variable width: all blocks hold codes
	chunks map[int32]*openChunk
	blocks map[int32]*openBlock
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
	chunk int32
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
	defer part.mu.Unlock()
	if part.dropped {
		panic(fmt.Sprintf("spillfile: %s: partition %d is read after Drop", s.spec.Name, p))
	}
	if part.readers++; part.readers == 1 {
		part.asked = 0
	}
	r := &reader{
		s: s, p: p, acct: acct, cols: cols, order: make([]piece, 0, len(part.segs)),
		coded: make([]bool, s.vars), chunks: map[int32]*openChunk{}, blocks: map[int32]*openBlock{}, want: make([]int, len(s.cols)),
	}
	for i, c := range cols {
		r.want[c] = i + 1
	}
	for v := range r.coded {
		r.coded[v] = part.coded != nil && part.allCodes(v)
	}
	for seq, b := range part.blocks {
		from := int32(0)
		for _, g := range part.segs[b.seg : b.seg+b.segs] {
			r.order = append(r.order, piece{unit: g.unit, rows: g.rows, from: from, seq: int32(seq)})
			from += g.rows
		}
	}
	slices.SortStableFunc(r.order, func(a, b piece) int { return int(a.unit) - int(b.unit) })
	return r
}

func (r *reader) close() {
	for ci, o := range r.chunks {
		r.closeChunk(ci, o)
	}
	part := &r.s.parts[r.p]
	part.mu.Lock()
	if part.readers--; part.readers == 0 {
		for _, k := range part.chunks {
			r.s.arrived(k)
		}
	}
	part.mu.Unlock()
}

// block opens the block of a piece.
func (r *reader) block(seq int32) (*openBlock, error) {
	if o := r.blocks[seq]; o != nil {
		return o, nil
	}
	part := &r.s.parts[r.p]
	part.mu.Lock()
	b := part.blocks[seq]
	part.mu.Unlock()
	c := r.chunks[b.chunk]
	if c == nil {
		var err error
		if c, err = r.openChunk(b.chunk); err != nil {
			return nil, err
		}
		r.chunks[b.chunk] = c
	}
	cols := make([]colReader, len(r.cols))
	if k := len(r.spare) - 1; k >= 0 {
		cols, r.spare = r.spare[k], r.spare[:k]
	}
	problem := openColumns(r.s, cols, r.want, int(b.rows), c.raw[b.pos+blockHeader:b.pos+b.size])
	if problem != "" {
		return nil, corrupt(r.s, r.p, uint32(seq), "%s", problem)
	}
	o := &openBlock{cols: cols, left: int(b.rows), chunk: b.chunk}
	r.blocks[seq] = o
	return o, nil
}

// done says that rows of a block have been decoded, and checks the block when that was the last of it.
func (r *reader) done(seq int32, o *openBlock, rows int) error {
	if o.left -= rows; o.left > 0 {
		return nil
	}
	for i := range o.cols {
		if c := &o.cols[i]; c.got != c.sum {
			name := r.s.spec.Schema.Fields[r.cols[i]].Name
			return r.s.named(fmt.Errorf("partition %d, block %d, column %s: %w", r.p, seq, name, ErrLost))
		}
	}
	delete(r.blocks, seq)
	r.spare = append(r.spare, o.cols)
	c := r.chunks[o.chunk]
	if c.left--; c.left == 0 {
		r.closeChunk(o.chunk, c)
	}
	return nil
}

func (r *reader) closeChunk(ci int32, o *openChunk) {
	delete(r.chunks, ci)
	if !o.mine {
		part := &r.s.parts[r.p]
		part.mu.Lock()
		o.k.pins--
		part.mu.Unlock()
	}
	o.buf.Release()
}

// openChunk pins a chunk's memory, or reads it from disk and verifies it.
func (r *reader) openChunk(ci int32) (*openChunk, error) {
	part := &r.s.parts[r.p]
	part.mu.Lock()
	k := part.chunks[ci]
	o := &openChunk{k: k, left: len(k.blocks)}
	if k.buf != nil {
		k.pins++
		k.buf.Retain()
		o.buf, o.raw = k.buf, k.buf.Bytes()[:k.used]
		part.mu.Unlock()
		return o, nil
	}
	placed := part.byPosition(k)
	part.mu.Unlock()
	o.mine = true
	stored, err := r.acct.Alloc(k.stored)
	if err != nil {
		return nil, err
	}
	if _, err := k.file.f.ReadAt(stored.Bytes(), k.off); err != nil {
		stored.Release()
		if errors.Is(err, io.EOF) {
			return nil, corrupt(r.s, r.p, uint32(placed[0].seq), "the file ends early")
		}
		return nil, fmt.Errorf("read back %s: %w", r.s.spec.Name, err)
	}
	part.mu.Lock()
	r.s.arrived(k)
	part.mu.Unlock()
	r.s.readAhead(r.p)
	if o.buf, err = r.verify(stored, k, placed); err != nil {
		return nil, err
	}
	o.raw = o.buf.Bytes()[:k.used]
	return o, nil
}

// verify checks every block of a chunk as stored, and returns its raw bytes. It takes over the reference to stored.
func (r *reader) verify(stored *mem.Buf, k *chunk, placed []placedBlock) (*mem.Buf, error) {
	raw, in := stored, stored.Bytes()
	if k.s2 {
		defer stored.Release()
		var err error
		if raw, err = r.acct.Alloc(k.used); err != nil {
			return nil, err
		}
	}
	for _, b := range placed {
		var to []byte
		if k.s2 {
			to = raw.Bytes()[b.pos+blockHeader : b.pos+b.size]
		}
		n, problem := r.verifyBlock(in, to, b)
		if problem != "" {
			raw.Release()
			return nil, corrupt(r.s, r.p, uint32(b.seq), "%s", problem)
		}
		in = in[n:]
	}
	return raw, nil
}

// verifyBlock checks the block at the beginning of in and returns its stored bytes. It decompresses to to, where that is not nil.
func (r *reader) verifyBlock(in, to []byte, b placedBlock) (n int, problem string) {
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
	want := r.s.header(r.p, b.seq, b.rows, int(b.size)-blockHeader)
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
	for _, pc := range r.order {
		err := ctx.Err()
		if err == nil {
			err = r.fill(out, pc)
		}
		if err != nil {
			out.b.Release()
			return nil, err
		}
	}
	return s.finish(r, out)
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
	o, err := r.block(pc.seq)
	if err != nil {
		return r.s.named(err)
	}
	from, n := int(pc.from), int(pc.rows)
	for i := range o.cols {
		end := o.cols[i].into(out.b.Cols[i], out.row, out.data[i], from, n)
		if end < 0 {
			return corrupt(r.s, r.p, uint32(pc.seq), "lengths or codes of values")
		}
		out.data[i] = end
	}
	out.row += n
	return r.done(pc.seq, o, n)
}
