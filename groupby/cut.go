package groupby

import (
	"bytes"
	"math/bits"
	"slices"

	"pqjoin/batch"
	"pqjoin/mem"
)

// cutter says what partition each key belongs to. keys has the key columns alone.
type cutter interface {
	partitions() int
	assign(acct *mem.Account, keys *batch.Batch, out []uint16) error
}

// hashCut partitions by hash; each depth of cutting uses other bits.
type hashCut struct {
	n, depth int
}

func (h hashCut) partitions() int { return h.n }

func (h hashCut) assign(acct *mem.Account, keys *batch.Batch, out []uint16) error {
	buf, err := acct.Alloc(8 * max(len(out), 1))
	if err != nil {
		return err
	}
	defer buf.Release()
	sums := batch.View[uint64](buf.Bytes())[:len(out)]
	batch.Hash(keys.Cols, sums)
	h.spread(sums, out)
	return nil
}

// spread sets out to the partitions of keys with those hashes.
func (h hashCut) spread(sums []uint64, out []uint16) {
	for i, s := range sums {
		s = (s ^ s>>29) * (hashMul + 2*uint64(h.depth))
		p, _ := bits.Mul64(s, uint64(h.n))
		out[i] = uint16(p)
	}
}

// givenCut adapts the splitters of the spec.
type givenCut struct{ p Partitioner }

func (g givenCut) partitions() int { return g.p.Partitions() }

func (g givenCut) assign(acct *mem.Account, keys *batch.Batch, out []uint16) error {
	return g.p.Assign(acct, keys, out)
}

// sampler collects normalised keys from which to cut ranges.
type sampler struct {
	enc  *batch.KeyEncoder
	cols int // of a key
	keys [][]byte
	size int // bytes of keys
	most int // bytes of a key that are kept
}

// sampleBytes and sampleLeast bound the keys of a sample, on the Go heap: so many bytes, but never fewer keys. Of a key sampleKey
// bytes are kept, as any bytes make a bound.
const (
	sampleBytes = 2 << 20
	sampleLeast = 4
	sampleKey   = 512 << 10
	sampleDepth = 6 // cuts, from which on more is
)

// newSampler returns a sampler for partitions that were cut depth times. Of those that were cut often it keeps more of a long key:
// keys may share what was kept of them before.
func newSampler(l *layout, depth int) (*sampler, error) {
	enc, err := keyEncoder(l)
	return &sampler{enc: enc, cols: len(l.keys.cols), most: sampleKey << min(2*max(depth-sampleDepth, 0), 20)}, err
}

// keyEncoder encodes batches of the key columns alone: ascending, nulls last.
func keyEncoder(l *layout) (*batch.KeyEncoder, error) {
	order := make([]batch.SortKey, len(l.keys.cols))
	for i := range order {
		order[i].Column = i
	}
	return batch.NewKeyEncoder(l.keys.schema, order)
}

// add takes a copy of all keys, of long ones fewer.
func (s *sampler) add(acct *mem.Account, cols []*batch.Column, n int) error {
	k, err := s.enc.Encode(acct, cols, n)
	if err != nil {
		return err
	}
	defer k.Release()
	for i := range n {
		key := s.keep(k, i)
		s.keys = append(s.keys, key)
		s.size += len(key)
		if s.size > sampleBytes && len(s.keys) > sampleLeast {
			s.halve()
		}
	}
	return nil
}

// keep returns a copy of what is kept of key i.
func (s *sampler) keep(k *batch.Keys, i int) []byte {
	if _, fixed := k.Fixed(); fixed {
		return k.Append(nil, i)
	}
	key := k.At(i)
	return bytes.Clone(key[:min(len(key), s.most)])
}

// halve drops every second key.
func (s *sampler) halve() {
	kept := s.keys[:0]
	s.size = 0
	for i := 0; i < len(s.keys); i += 2 {
		kept = append(kept, s.keys[i])
		s.size += len(s.keys[i])
	}
	clear(s.keys[len(kept):])
	s.keys = kept
}

// cut returns ranges, at most n, that hold about equally many of the distinct keys sampled.
func (s *sampler) cut(n int) *rangeCut {
	slices.SortFunc(s.keys, bytes.Compare)
	keys := slices.CompactFunc(s.keys, bytes.Equal)
	var bounds [][]byte
	for i := 1; i < n; i++ {
		at := i * len(keys) / n
		if at == 0 || len(bounds) > 0 && bytes.Equal(keys[at], bounds[len(bounds)-1]) {
			continue
		}
		bounds = append(bounds, keys[at])
	}
	return newRangeCut(s.enc, s.cols, bounds)
}

// addEvery takes every step-th key of b, whose first k columns are the keys.
func (s *sampler) addEvery(acct *mem.Account, b *batch.Batch, k, step int) error {
	idx := make([]uint32, 0, b.N/step+1)
	for i := step / 2; i < b.N; i += step {
		idx = append(idx, uint32(i))
	}
	if len(idx) == 0 {
		return nil
	}
	keys, err := batch.GatherBatch(acct, &batch.Batch{Schema: b.Schema, Cols: b.Cols[:k], N: b.N}, idx)
	if err != nil {
		return err
	}
	defer keys.Release()
	return s.add(acct, keys.Cols, keys.N)
}
