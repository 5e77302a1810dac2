package spillfile

import (
	"context"
	"slices"

	"github.com/klauspost/compress/s2"
)

// spillBatch is how much is spilled at least, so that workers seldom wait for each other here.
const spillBatch = 1 << 20

// Spill writes blocks to disk, those of the highest partitions first because they are
// read last, until want bytes of memory are free or nothing is left to write. It is
// called by the pool when somebody's allocation does not fit; it allocates nothing from the pool.
func (s *Store) Spill(ctx context.Context, want int64) (freed int64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	return s.spill(want)
}

func (s *Store) spill(want int64) (freed int64, err error) {
	if s.spec.Dir == nil {
		return 0, nil
	}
	before := s.freed.Load()
	s.spillMu.Lock()
	defer s.spillMu.Unlock()
	if got := s.freed.Load() - before; got >= want {
		return got, nil // somebody else did while this call waited
	}
	want = max(want, spillBatch)
	for _, pick := range []picker{fullChunks, idleChunks, anyChunk} {
		for p := len(s.parts) - 1; p >= 0 && freed < want; p-- {
			if s.parts[p].inMemory.Load() == 0 {
				continue
			}
			n, err := s.spillPartition(p, pick, want-freed)
			freed += n
			s.freed.Add(n)
			if err != nil {
				return freed, s.named(err)
			}
		}
	}
	return freed, nil
}

// A picker says whether a chunk may be spilled now.
type picker func(s *Store, part *partition, k *chunk) bool

// fullChunks spares what is still being filled, and partitions that are being read.
func fullChunks(s *Store, part *partition, k *chunk) bool {
	return part.readers == 0 && (s.isSealed.Load() || 4*k.used >= 3*s.chunkBytes)
}

func idleChunks(_ *Store, part *partition, _ *chunk) bool { return part.readers == 0 }
func anyChunk(*Store, *partition, *chunk) bool            { return true }

// spillPartition writes chunks of partition p until want bytes are free.
func (s *Store) spillPartition(p int, pick picker, want int64) (freed int64, err error) {
	part := &s.parts[p]
	part.mu.Lock()
	defer part.mu.Unlock()
	for i := 0; i < len(part.chunks) && freed < want; {
		k := part.chunks[i]
		if k.buf == nil || k.filling > 0 || k.pins > 0 || !pick(s, part, k) {
			i++
			continue
		}
		if k.file == nil { // else it lies on disk too
			if err = s.spillChunk(p, part, k); err != nil && !k.dropped {
				return freed, err
			}
		}
		size := k.buf.Size()
		part.inMemory.Add(-size)
		if k.pins == 0 {
			freed += size
		}
		k.buf.Release()
		k.buf = nil
		part.chunks = slices.Delete(part.chunks, i, i+1) // only who spills takes any away
		if err != nil {
			return freed, err
		}
	}
	return freed, nil
}

// spillChunk writes a chunk of a partition whose lock is held, and given up meanwhile.
func (s *Store) spillChunk(p int, part *partition, k *chunk) error {
	k.spilling = true
	k.full()
	part.mu.Unlock()
	written, err := s.writeChunk(p, k)
	e := entry{}
	if err == nil {
		e, err = s.record(p, &written)
	}
	part.mu.Lock()
	k.spilling = false
	if err == nil {
		k.file, k.off, k.stored, k.s2 = written.file, written.off, written.stored, written.s2
		part.onDisk += int64(k.stored)
		part.ledger.enter(e)
	}
	return err
}

// writeChunk writes a chunk that is in memory to its group's file, and returns what is then known of it.
func (s *Store) writeChunk(p int, k *chunk) (written chunk, err error) {
	f, err := s.fileOf(p)
	if err != nil {
		return written, err
	}
	raw := k.buf.Bytes()[:k.used]
	out, packed := raw, s.compresses(len(k.blocks), raw)
	if packed {
		out = s.compress(p, k.blocks, raw)
	} else {
		for _, b := range k.blocks {
			payload := raw[b.pos+blockHeader : b.pos+b.size]
			h := s.header(p, int(b.seq), b.rows, len(payload))
			h.put(raw[b.pos:b.pos+blockHeader], payload)
		}
	}
	off, err := f.append(out)
	if err != nil {
		return written, err
	}
	s.spilled.Add(int64(len(out)))
	return chunk{file: f, off: off, stored: len(out), s2: packed, used: k.used, blocks: k.blocks, segs: k.segs}, nil
}

func (s *Store) header(p, seq int, rows int32, size int) header {
	return header{
		length: uint64(size), raw: uint64(size), rows: uint32(rows),
		partition: uint32(p), sequence: uint32(seq), store: s.id,
	}
}

const (
	sampleBytes = 16 << 10
	gainNum     = 9 // a codec must bring the bytes to 9/10 or less
	gainDen     = 10
)

// plainMost bounds how many chunks are written without a trial, after many that did not shrink.
const plainMost = 16

// compresses tries the codec on a sample from the middle of the chunk. After a chunk that does not shrink, more and more of those that
// follow are not tried: what a store holds changes little.
func (s *Store) compresses(blocks int, raw []byte) bool {
	if s2.MaxEncodedLen(len(raw))+blockHeader*blocks > len(s.stage.Bytes()) {
		return false
	}
	if s.untried > 0 {
		s.untried--
		return false
	}
	mid := max(0, (len(raw)-sampleBytes)/2)
	sample := raw[mid:min(len(raw), mid+sampleBytes)]
	if gainDen*len(s2.Encode(s.stage.Bytes(), sample)) <= gainNum*len(sample) {
		s.refused = 0
		return true
	}
	s.untried, s.refused = s.refused, min(2*s.refused+1, plainMost)
	return false
}

// compress writes the blocks of the chunk to the stage, each compressed where that helps.
func (s *Store) compress(p int, blocks []block, raw []byte) []byte {
	out, at := s.stage.Bytes(), 0
	for _, b := range blocks {
		payload := raw[b.pos+blockHeader : b.pos+b.size]
		h := s.header(p, int(b.seq), b.rows, len(payload))
		head, rest := out[at:at+blockHeader], out[at+blockHeader:]
		stored := payload
		if len(rest) >= s2.MaxEncodedLen(len(payload)) {
			if c := s2.Encode(rest, payload); gainDen*len(c) <= gainNum*len(payload) {
				stored = c
				h.codec, h.length = codecS2, uint64(len(c))
			}
		}
		if h.codec == codecNone {
			copy(rest, payload)
		}
		h.put(head, stored)
		at += blockHeader + len(stored)
	}
	return out[:at]
}

// fileOf returns the file of p's group, made when it is first needed.
func (s *Store) fileOf(p int) (*spillFile, error) {
	g := &s.groups[s.groupOf(p)]
	if g.file == nil {
		f, err := s.newFile(s.groupOf(p))
		if err != nil {
			return nil, err
		}
		g.file = f
		s.files++
	}
	return g.file, nil
}

// newFile makes the file of group g.
func (s *Store) newFile(g int) (*spillFile, error) {
	if s.spec.Keep != nil {
		return s.spec.Keep.createBlocks(g)
	}
	return s.spec.Dir.use()
}

// sealToDisk encodes the tail of (w, p), whose plans are made, in the stage and writes
// it: there is no memory for the block, and nothing left to spill.
func (s *Store) sealToDisk(w *worker, p, size int) error {
	s.spillMu.Lock()
	defer s.spillMu.Unlock()
	t, part := &w.tails[p], &s.parts[p]
	f, err := s.fileOf(p)
	if err != nil {
		return err
	}
	out := s.stage.Bytes()[:size]
	s.encode(w, t, out)
	k := &chunk{file: f, used: size, stored: size}
	part.mu.Lock()
	s.publish(part, k, t, w.plans, block{size: int32(size)})
	part.mu.Unlock()
	h := s.header(p, int(k.blocks[0].seq), int32(t.n), size-blockHeader)
	h.put(out[:blockHeader], out[blockHeader:])
	if k.off, err = f.append(out); err != nil {
		return err
	}
	e, err := s.record(p, k)
	if err != nil {
		return err
	}
	part.mu.Lock()
	part.ledger.enter(e)
	part.onDisk += int64(size)
	part.mu.Unlock()
	s.spilled.Add(int64(size))
	s.sealed(w, t)
	return nil
}
