package spillfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"slices"

	"pqjoin/mem"
)

const (
	blockMagic  = 0x42534a50 // "PJSB"
	blockHeader = 48
	codecNone   = 0
	codecS2     = 1
	codecLedger = 2 // no block, but a page of places
)

// block is a sealed block's place in its chunk.
type block struct {
	seq  int32 // its number in the partition
	pos  int32 // of the header, in the chunk's raw bytes
	size int32 // raw bytes, header included
	rows int32
	seg  int32 // its first segment, of the chunk's
	segs int32
}

// header is what stands before a block on disk.
type header struct {
	length    uint64 // bytes of the payload as stored
	raw       uint64 // bytes of the payload decompressed
	rows      uint32
	partition uint32
	sequence  uint32
	codec     uint32
	store     uint64 // tells a stale block of another store
}

// put writes the header before a payload, with the checksum of both.
func (h *header) put(dst, payload []byte) {
	le := binary.LittleEndian
	le.PutUint32(dst, blockMagic)
	le.PutUint64(dst[8:], h.length)
	le.PutUint64(dst[16:], h.raw)
	le.PutUint32(dst[24:], h.rows)
	le.PutUint32(dst[28:], h.partition)
	le.PutUint32(dst[32:], h.sequence)
	le.PutUint32(dst[36:], h.codec)
	le.PutUint64(dst[40:], h.store)
	le.PutUint32(dst[4:], checksum(dst[8:blockHeader], payload))
}

func getHeader(src []byte) header {
	le := binary.LittleEndian
	return header{
		length: le.Uint64(src[8:]), raw: le.Uint64(src[16:]),
		rows: le.Uint32(src[24:]), partition: le.Uint32(src[28:]),
		sequence: le.Uint32(src[32:]), codec: le.Uint32(src[36:]), store: le.Uint64(src[40:]),
	}
}

func checksumOf(block []byte) uint32 { return binary.LittleEndian.Uint32(block[4:]) }

func checksum(head, payload []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli) // a shared table after the first call
	return crc32.Update(crc32.Checksum(head, table), table, payload)
}

// chunk is a piece of a partition: some blocks one behind the other, in memory or on
// disk. It is what is spilled and read at a time.
type chunk struct {
	buf      *mem.Buf // nil once on disk
	cap      int
	used     int
	filling  int // blocks that are being encoded into it
	pins     int // readers of the memory
	spilling bool
	blocks   []block // in the order of sealing; in that of their positions once it is full
	segs     []segment

	file    *spillFile // nil: it is not on disk
	off     int64
	stored  int // bytes on disk
	s2      bool
	dropped bool
}

// seal encodes the tail of (w, p) as a block of the partition, and empties it.
func (s *Store) seal(w *worker, p int) error {
	t := &w.tails[p]
	size := blockHeader
	for c := range s.cols {
		w.plans[c] = s.planColumn(t, c)
		size += columnHeader + int(w.plans[c].size)
	}
	if size > math.MaxInt32 {
		return fmt.Errorf("a block of %d bytes", size)
	}
	part := &s.parts[p]
	k, pos, err := s.place(part, size)
	if err != nil {
		return err
	}
	if k == nil {
		return s.sealToDisk(w, p, size)
	}
	s.encode(w, t, k.buf.Bytes()[pos:pos+size]) // who fills a chunk has its memory
	part.mu.Lock()
	s.publish(part, k, t, w.plans, block{pos: int32(pos), size: int32(size)})
	k.filling--
	part.mu.Unlock()
	s.sealed(w, t)
	return nil
}

func (s *Store) encode(w *worker, t *tail, dst []byte) {
	at := blockHeader
	for c := range s.cols {
		end := at + columnHeader + int(w.plans[c].size)
		s.encodeColumn(w, t, c, dst[at:end])
		at = end
	}
	if t.lay.flat > 0 {
		t.splitHeap(s, w)
		s.sumHeaps(w, t, dst)
	}
}

// publish enters a block of the tail's rows, with its place in k, into the partition, whose lock is held.
func (s *Store) publish(part *partition, k *chunk, t *tail, plans []colPlan, b block) {
	b.seq, b.rows, b.seg, b.segs = int32(part.blocks), int32(t.n), int32(len(k.segs)), int32(len(t.segs))
	k.segs = append(k.segs, t.segs...)
	k.blocks = append(k.blocks, b)
	part.blocks++
	part.rows += int64(t.n)
	part.bytes += int64(b.size)
	if s.vars > 0 && part.vars == nil {
		part.vars, part.coded = make([]int64, s.vars), make([]int64, s.vars)
	}
	for c := range s.cols {
		if v := s.cols[c].varIdx; v >= 0 {
			part.vars[v] += int64(plans[c].data)
			if plans[c].enc == encCodes {
				part.coded[v] += int64(t.n)
			}
		}
	}
}

// sealed counts what was sealed, and empties the tail.
func (s *Store) sealed(w *worker, t *tail) {
	for c := range s.cols {
		w.sealed[c] += w.plans[c].sum
	}
	if t.heap != nil && len(t.heap.Bytes()) > s.spec.BlockBytes { // it held a large value
		t.heap.Release()
		t.heap = nil
	}
	t.reset()
}

// place finds size bytes in a chunk of the partition that is in memory, and marks the
// chunk as being filled. It returns nil where there is no memory, but the disk may serve.
func (s *Store) place(part *partition, size int) (k *chunk, pos int, err error) {
	part.mu.Lock()
	if k, pos = part.fit(size); k != nil {
		part.mu.Unlock()
		return k, pos, nil
	}
	want := max(size, int(min(part.bytes, int64(s.chunkBytes))))
	part.mu.Unlock()
	want = mem.ClassSize(want)
	buf, err := s.alloc(want)
	if err != nil {
		if s.spec.Dir != nil && errors.Is(err, mem.ErrLimit) && size <= len(s.stage.Bytes()) {
			return nil, 0, nil
		}
		return nil, 0, err
	}
	part.mu.Lock()
	defer part.mu.Unlock()
	k = &chunk{buf: buf, cap: want, used: size, filling: 1}
	part.chunks = append(part.chunks, k)
	part.inMemory.Add(buf.Size())
	return k, 0, nil
}

// fit takes size bytes of the last chunk, if it has them.
func (part *partition) fit(size int) (k *chunk, pos int) {
	last := len(part.chunks) - 1
	if last < 0 {
		return nil, 0
	}
	k = part.chunks[last]
	if k.buf == nil || k.spilling || k.file != nil || len(k.segs) >= maxSegs || k.used+size > k.cap {
		return nil, 0
	}
	pos = k.used
	k.used += size
	k.filling++
	return k, pos
}

// full says that nothing more comes into the chunk, whose partition's lock is held: its blocks are put in the order in which they lie.
func (k *chunk) full() {
	slices.SortFunc(k.blocks, func(a, b block) int { return int(a.pos) - int(b.pos) })
}
