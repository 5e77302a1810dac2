package extsort

import (
	"bytes"
	"slices"

	"pqjoin/batch"
	"pqjoin/mem"
)

const (
	sampleRows  = 16 << 10 // keys of a sample, at most
	sampleBytes = 1 << 20  // and bytes of them, but never fewer than sampleMin keys,
	sampleMin   = 16       // of very long ones,
	sampleMost  = 4 << 20  // over so many bytes,
	sampleLeast = 2        // than these
	sampleKey   = 1 << 20  // bytes of a key that are kept: any bytes make a boundary
)

// Sample collects keys of a table at random places, one of every stride rows, and
// doubles the stride when it has too many. The places are the same in every run. It
// lives on the Go heap, at most about 4 MB and the start of a key. It is for one goroutine; Merge joins several.
type Sample struct {
	kb     *keyBinding
	stride int64
	at     int64 // rows seen
	next   int64 // the row to take next
	words  []uint64
	keys   [][]byte
	size   int   // bytes of keys
	most   int   // bytes of a key that are kept
	nulls  int64 // sampled rows whose only key column is null, in word form
	picked []uint32
}

// NewSample returns an empty sample of keys over the schema.
func NewSample(schema *batch.Schema, keys []batch.SortKey) (*Sample, error) {
	kb, err := bindKeys(schema, keys)
	if err != nil {
		return nil, err
	}
	return &Sample{kb: kb, stride: 1, most: sampleKey}, nil
}

// Rows returns how many rows were offered.
func (s *Sample) Rows() int64 { return s.at }

// Add samples rows of b, which stays the caller's.
func (s *Sample) Add(acct *mem.Account, b *batch.Batch) error {
	for lo := 0; lo < b.N; {
		// A stride may change as the sample fills: take a limited number at a time.
		hi := min(b.N, lo+int(min(s.stride*sampleRows/2, int64(b.N))))
		s.picked = s.picked[:0]
		for end := s.at + int64(hi-lo); s.next < end; {
			s.picked = append(s.picked, uint32(lo+int(s.next-s.at)))
			s.advance()
		}
		s.at += int64(hi - lo)
		if err := s.take(acct, b); err != nil {
			return err
		}
		for s.full() {
			s.halve()
		}
		lo = hi
	}
	return nil
}

// advance moves to a random place in the next stride.
func (s *Sample) advance() {
	block := s.next/s.stride + 1
	s.next = block*s.stride + int64(scramble(uint64(block))%uint64(s.stride))
}

// scramble is splitmix64: a fixed sequence of well-mixed numbers.
func scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (s *Sample) full() bool {
	return s.len() > sampleRows || s.size > sampleBytes && s.len() > sampleMin || s.size > sampleMost && s.len() > sampleLeast
}

func (s *Sample) len() int { return len(s.words) + len(s.keys) + int(s.nulls) }

// take adds the keys of the picked rows.
func (s *Sample) take(acct *mem.Account, b *batch.Batch) error {
	if len(s.picked) == 0 {
		return nil
	}
	cols := make([]*batch.Column, 0, len(s.kb.cols))
	defer func() {
		for _, c := range cols {
			c.Release()
		}
	}()
	for _, c := range s.kb.columns(b) {
		g, err := batch.Gather(acct, c, s.picked, false)
		if err != nil {
			return err
		}
		cols = append(cols, g)
	}
	return s.takeColumns(acct, cols, len(s.picked))
}

func (s *Sample) takeColumns(acct *mem.Account, cols []*batch.Column, n int) error {
	if s.kb.oneWord {
		x := make([]uint64, n)
		batch.OrderWords(cols[0], s.kb.desc, 0, x)
		for i, w := range x {
			if cols[0].IsNull(i) {
				s.nulls++
			} else {
				s.words = append(s.words, w)
			}
		}
		return nil
	}
	keys, err := s.kb.enc.Encode(acct, cols, n)
	if err != nil {
		return err
	}
	defer keys.Release()
	if words, ok := keys.Fixed(); ok {
		s.words = append(s.words, words...)
		return nil
	}
	for i := range n {
		k := keys.At(i)
		k = bytes.Clone(k[:min(len(k), s.most)])
		s.keys = append(s.keys, k)
		s.size += len(k)
		if s.size > sampleMost && s.full() { // do not wait until all of them are here
			s.halve()
		}
	}
	return nil
}

// halve drops every second key and doubles the stride.
func (s *Sample) halve() {
	s.stride *= 2
	s.words = everySecond(s.words)
	s.keys = everySecond(s.keys)
	s.nulls = (s.nulls + 1) / 2
	s.size = 0
	for _, k := range s.keys {
		s.size += len(k)
	}
	block := s.at / s.stride
	if s.next = block*s.stride + int64(scramble(uint64(block))%uint64(s.stride)); s.next < s.at {
		s.advance()
	}
}

func everySecond[T any](v []T) []T {
	n := 0
	for i := 0; i < len(v); i += 2 {
		v[n] = v[i]
		n++
	}
	clear(v[n:])
	return v[:n]
}

// Merge adds what o holds; both must have been made for the same keys. o is used up.
func (s *Sample) Merge(o *Sample) {
	for s.stride < o.stride {
		s.halve()
	}
	for o.stride < s.stride {
		o.halve()
	}
	s.words = append(s.words, o.words...)
	s.keys = append(s.keys, o.keys...)
	s.size += o.size
	s.nulls += o.nulls
	s.at += o.at
	s.next = max(s.next, s.at)
	for s.full() {
		s.halve()
	}
}

// Splitters returns boundaries that cut the table into at most parts ranges of about
// equal rows. A key that is worth a range of its own gets one.
func (s *Sample) Splitters(parts int) *Splitters {
	parts = min(max(parts, 1), 1<<16)
	out := &Splitters{kb: s.kb}
	slices.Sort(s.words)
	slices.SortFunc(s.keys, bytes.Compare)
	for t := parts; ; t-- {
		if out.choose(s, t); out.Count() <= parts {
			break
		}
	}
	out.index()
	return out
}
