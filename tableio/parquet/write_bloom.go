package parquet

import (
	"encoding/binary"
	"math/bits"

	"pqjoin/batch"
	"pqjoin/mem"

	"github.com/parquet-go/parquet-go/bloom"
	"github.com/parquet-go/parquet-go/bloom/xxhash"
	"github.com/parquet-go/parquet-go/format"
)

const (
	bloomMost  = 1 << 20 // bytes of a filter at most
	bloomBits  = 10.5    // for each distinct value: about one false answer in a hundred
	bloomWrong = 0.01    // share of false answers up to which a filter is made smaller
)

// bloomFilter is a chunk's split-block bloom filter, of the hashes of its values as plain encoding has them. It is made large
// enough for as many values as there may be, and in the end folded to half its size as long as that is good enough for those
// that there are: the upper bits of a hash choose the block, so that two neighbours become the one that a filter of
// half the size would have had.
//
// Cost: 2 ns a value while the filter is in the cache. Nothing but the chunk's values decides what it holds.
type bloomFilter struct {
	acct   *mem.Account
	rows   int // of a row group at most
	values int // put in so far
	buf    *mem.Buf
	blocks bloom.SplitBlockFilter
	head   []byte // its header, once finished
}

// bloomSize returns the bytes of a filter for so many distinct values.
func bloomSize(values int) int {
	want := int(min(float64(values)*bloomBits/8, bloomMost))
	return max(1<<bits.Len(uint(max(want, 1)-1)), bloom.BlockSize)
}

// add puts the values of a plain page into the filter, or those of a dictionary (entries: how many).
func (f *bloomFilter) add(l *leaf, body []byte, entries int) error {
	if len(body) == 0 {
		return nil
	}
	if err := f.make(entries); err != nil {
		return err
	}
	var sums [256]uint64
	n := 0
	put := func(h uint64) {
		if sums[n] = h; n == len(sums)-1 {
			f.blocks.InsertBulk(sums[:])
			f.values += len(sums)
			n = 0
			return
		}
		n++
	}
	switch {
	case l.physical == format.ByteArray:
		for len(body) > 0 {
			size := int(binary.LittleEndian.Uint32(body))
			put(xxhash.Sum64(body[4 : 4+size]))
			body = body[4+size:]
		}
	case l.width == 8:
		for _, v := range batch.View[uint64](body) {
			put(xxhash.Sum64Uint64(v))
		}
	default:
		for ; len(body) > 0; body = body[l.width:] {
			put(xxhash.Sum64(body[:l.width]))
		}
	}
	f.blocks.InsertBulk(sums[:n])
	f.values += n
	return nil
}

// make makes the filter, unless it is there: for the entries of a dictionary, or (0) for a whole row group.
func (f *bloomFilter) make(entries int) error {
	if f.buf != nil {
		return nil
	}
	if entries == 0 {
		entries = f.rows
	}
	size := bloomSize(entries)
	var err error
	if f.buf, err = f.acct.Alloc(size); err != nil {
		return err
	}
	clear(f.buf.Bytes()[:size])
	f.blocks = bloom.MakeSplitBlockFilter(f.buf.Bytes()[:size])
	return nil
}

// finish folds the filter and makes its header.
func (f *bloomFilter) finish() error {
	if err := f.make(1); err != nil { // all values are null
		return err
	}
	f.fold(bloomSize(f.values) / bloom.BlockSize) // so few are good enough, whatever the values
	for len(f.blocks) > 1 && f.wrongFolded() <= bloomWrong {
		f.fold(len(f.blocks) / 2)
	}
	t := &thriftOut{}
	t.i32(1, int32(len(f.blocks)*bloom.BlockSize))
	for id := int16(2); id <= 4; id++ { // split block, xxHash, uncompressed
		t.begin(id)
		t.begin(1)
		t.end()
		t.end()
	}
	t.stop()
	f.head = t.b
	return nil
}

// fold makes the filter one of n blocks, a power of two like those that it has, unless it has fewer.
func (f *bloomFilter) fold(n int) {
	if n >= len(f.blocks) {
		return
	}
	each := len(f.blocks) / n
	for i := range n {
		out := f.blocks[i*each]
		for k := i*each + 1; k < (i+1)*each; k++ {
			out = folded(&out, &f.blocks[k])
		}
		f.blocks[i] = out
	}
	f.blocks = f.blocks[:n]
}

func folded(a, b *bloom.Block) (out bloom.Block) {
	for w := range out {
		out[w] = a[w] | b[w]
	}
	return out
}

// wrongFolded returns the share of values it does not have that the filter of half the size would take for its own.
func (f *bloomFilter) wrongFolded() float64 {
	sum := 0.0
	for i := range len(f.blocks) / 2 {
		b := folded(&f.blocks[2*i], &f.blocks[2*i+1])
		wrong := 1.0
		for _, w := range b {
			wrong *= float64(bits.OnesCount32(uint32(w))) / 32
		}
		sum += wrong
	}
	return sum / float64(len(f.blocks)/2)
}

// size returns the bytes in the file; 0 where there is no filter.
func (f *bloomFilter) size() int64 {
	if f == nil {
		return 0
	}
	return int64(len(f.head) + len(f.blocks)*bloom.BlockSize)
}

// drain hands the finished filter to write and gives its memory back.
func (f *bloomFilter) drain(write func(p []byte) error) error {
	if f == nil {
		return nil
	}
	defer f.release()
	if err := write(f.head); err != nil {
		return err
	}
	return write(f.blocks.Bytes())
}

func (f *bloomFilter) release() {
	if f != nil {
		f.buf.Release()
		f.buf, f.blocks = nil, nil
	}
}
