package extsort

import (
	"bytes"
	"fmt"
	"slices"
	"sort"

	"pqjoin/batch"
	"pqjoin/mem"
)

// keyBinding finds the key columns of a table's batches and encodes them. The key of one
// column of up to 8 bytes is a word besides a null (oneWord); others are the encoder's.
type keyBinding struct {
	enc      *batch.KeyEncoder
	cols     []int
	types    []batch.Type
	oneWord  bool
	nullable bool // of the one column
	desc     bool
	nullsTop bool
}

func bindKeys(schema *batch.Schema, keys []batch.SortKey) (*keyBinding, error) {
	enc, err := batch.NewKeyEncoder(schema, keys)
	if err != nil {
		return nil, err
	}
	kb := &keyBinding{enc: enc}
	for _, k := range keys {
		kb.cols = append(kb.cols, k.Column)
		kb.types = append(kb.types, schema.Fields[k.Column].Type)
	}
	if len(keys) == 1 {
		kb.oneWord, kb.nullable = wordKind(kb.types[0]), schema.Fields[keys[0].Column].Nullable
		kb.desc, kb.nullsTop = keys[0].Desc, keys[0].NullsFirst
	}
	return kb, nil
}

// wordKind says whether batch.OrderWords knows the type.
func wordKind(t batch.Type) bool {
	k := t.Kind()
	return k == batch.KindBool || k == batch.KindInt64 || k == batch.KindFloat64
}

func (kb *keyBinding) columns(b *batch.Batch) []*batch.Column {
	out := make([]*batch.Column, len(kb.cols))
	for i, c := range kb.cols {
		out[i] = b.Cols[c]
	}
	return out
}

// Splitters cut a table into ranges of its sort key. Rows with equal keys are always in
// one range, and ranges ascend in key order. They are immutable and safe for concurrent use.
type Splitters struct {
	kb      *keyBinding
	words   []uint64 // ascending: range i ends before words[i]; or
	keys    [][]byte // the same in bytes
	nullOwn bool     // nulls (of the one word) have a range of their own
	find    wordIndex
	strings byteIndex
	values  *valueIndex // of one column of bytes, ascending; else nil
}

// At returns the same ranges for batches whose key columns are at the positions cols, of
// the same types: of another table, or of the key columns alone. Columns that were
// declared without nulls when the sample was taken must have none there either.
func (s *Splitters) At(cols []int) *Splitters {
	out, kb := *s, *s.kb
	kb.cols = cols
	out.kb = &kb
	return &out
}

// Count returns the number of ranges.
func (s *Splitters) Count() int {
	n := len(s.words) + len(s.keys) + 1
	if s.nullOwn {
		n++
	}
	return n
}

// Partitions is Count.
func (s *Splitters) Partitions() int { return s.Count() }

// nullRange returns the range of null keys of a one-word key.
func (s *Splitters) nullRange() int {
	if s.kb.nullsTop {
		return 0
	}
	return s.Count() - 1
}

// firstRange is the first range of values.
func (s *Splitters) firstRange() int {
	if s.nullOwn && s.kb.nullsTop {
		return 1
	}
	return 0
}

// Single says whether range p holds a single key at most, so that it is sorted as it lies.
func (s *Splitters) Single(p int) bool {
	if s.kb.oneWord && s.kb.nullable && p == s.nullRange() {
		return s.nullOwn
	}
	i := p - s.firstRange() // the range is [bound i-1, bound i)
	switch {
	case len(s.words) > 0:
		lo, hi := uint64(0), ^uint64(0)
		if i > 0 {
			lo = s.words[i-1]
		}
		if i < len(s.words) {
			hi = s.words[i] - 1
		}
		return lo == hi
	case len(s.keys) > 0 && i > 0 && i < len(s.keys):
		k := s.keys[i]
		return k[len(k)-1] == 0 && bytes.Equal(k[:len(k)-1], s.keys[i-1])
	}
	return false
}

// choose sets boundaries at t quantiles of the sample, which is sorted.
func (s *Splitters) choose(from *Sample, t int) {
	s.words, s.keys, s.nullOwn = nil, nil, false
	if t <= 1 {
		return
	}
	s.nullOwn = s.kb.oneWord && s.kb.nullable
	n := len(from.words)
	quantiles(n, t, func(i, j int) bool { return from.words[i] < from.words[j] }, func(i int, heavy, least bool) {
		k := from.words[i]
		if k > 0 && (heavy || !least) {
			s.addWord(k)
		}
		if heavy && k != ^uint64(0) {
			s.addWord(k + 1)
		}
	})
	quantiles(len(from.keys), t, func(i, j int) bool { return bytes.Compare(from.keys[i], from.keys[j]) < 0 }, func(i int, heavy, least bool) {
		k := from.keys[i]
		if heavy || !least {
			s.addKey(k)
		}
		if heavy {
			s.addKey(slices.Concat(k, []byte{0}))
		}
	})
}

func (s *Splitters) addWord(k uint64) {
	if n := len(s.words); n == 0 || s.words[n-1] < k {
		s.words = append(s.words, k)
	}
}

func (s *Splitters) addKey(k []byte) {
	if n := len(s.keys); n == 0 || bytes.Compare(s.keys[n-1], k) < 0 {
		s.keys = append(s.keys, k)
	}
}

// quantiles visits one position of each different key at the t quantiles of n sorted
// keys, and says whether it fills a quantile on its own and whether it is the least key.
func quantiles(n, t int, less func(i, j int) bool, visit func(i int, heavy, least bool)) {
	done := 0 // positions before are of keys that were visited or passed
	for q := range t {
		i := q * n / t
		if i >= n || i < done {
			continue
		}
		a := sort.Search(i, func(j int) bool { return !less(j, i) })
		b := i + sort.Search(n-i, func(j int) bool { return less(i, i+j) })
		visit(i, (b-a)*t >= n, a == 0)
		done = b
	}
}

// index prepares the search.
func (s *Splitters) index() {
	s.find = newWordIndex(s.words)
	s.strings = newByteIndex(s.keys)
	s.values = newValueIndex(s)
}

// Assign sets out[i] to the range of row i of b. Key bytes, where they are needed, are paid by acct.
func (s *Splitters) Assign(acct *mem.Account, b *batch.Batch, out []uint16) error {
	out = out[:b.N]
	if s.Count() == 1 {
		clear(out)
		return nil
	}
	cols := s.kb.columns(b)
	for i, c := range cols {
		if c.Type != s.kb.types[i] {
			return fmt.Errorf("a key column is %s, and its splitters are %s", c.Type, s.kb.types[i])
		}
	}
	switch {
	case s.kb.oneWord:
		s.assignWords(cols[0], out)
		return nil
	case len(cols) == 1 && cols[0].Dict != nil && cols[0].Dict.N < b.N:
		return s.assignDict(acct, cols[0], out)
	case s.values != nil && cols[0].Dict == nil:
		s.values.assign(cols[0], out)
		return nil
	}
	return s.assignKeys(acct, cols, out)
}

const chunk = 512

func (s *Splitters) assignWords(c *batch.Column, out []uint16) {
	var x [chunk]uint64
	first, null := uint16(s.firstRange()), uint16(s.nullRange())
	for lo := 0; lo < len(out); lo += chunk {
		o := out[lo:min(lo+chunk, len(out))]
		w := x[:len(o)]
		batch.OrderWords(c, s.kb.desc, lo, w)
		s.find.assign(w, first, o)
		if c.Valid == nil {
			continue
		}
		for i := range o {
			if at := lo + i; c.Valid[at>>3]>>(at&7)&1 == 0 {
				o[i] = null
			}
		}
	}
}

func (s *Splitters) assignKeys(acct *mem.Account, cols []*batch.Column, out []uint16) error {
	keys, err := s.kb.enc.Encode(acct, cols, len(out))
	if err != nil {
		return err
	}
	defer keys.Release()
	s.place(keys, out)
	return nil
}

func (s *Splitters) place(keys *batch.Keys, out []uint16) {
	if words, ok := keys.Fixed(); ok {
		s.find.assign(words, 0, out)
		return
	}
	for i := range out {
		out[i] = uint16(s.strings.find(keys.At(i)))
	}
}

// AssignKeys is Assign for callers that need the rows' normalised keys too, which the caller releases.
func (s *Splitters) AssignKeys(acct *mem.Account, b *batch.Batch, out []uint16) (*batch.Keys, error) {
	keys, err := s.EncodeKeys(acct, b)
	if err != nil {
		return nil, err
	}
	if !s.kb.oneWord {
		s.place(keys, out[:b.N])
		return keys, nil
	}
	if err := s.Assign(acct, b, out); err != nil {
		keys.Release()
		return nil, err
	}
	return keys, nil
}

// EncodeKeys returns the normalised keys of b's rows, as AssignKeys makes them, which the caller releases.
func (s *Splitters) EncodeKeys(acct *mem.Account, b *batch.Batch) (*batch.Keys, error) {
	return s.kb.enc.Encode(acct, s.kb.columns(b), b.N)
}

// assignDict places the entries of the dictionary instead of the rows.
func (s *Splitters) assignDict(acct *mem.Account, c *batch.Column, out []uint16) error {
	buf, err := acct.Alloc(2 * c.Dict.N)
	if err != nil {
		return err
	}
	defer buf.Release()
	entry := batch.View[uint16](buf.Bytes())
	if err := s.assignKeys(acct, []*batch.Column{c.Dict}, entry); err != nil {
		return err
	}
	for i, k := range c.Codes[:len(out)] {
		out[i] = entry[k]
	}
	if c.Valid == nil {
		return nil
	}
	null, err := batch.AllNull(acct, c.Type, 1)
	if err != nil {
		return err
	}
	defer null.Release()
	var at [1]uint16
	if err := s.assignKeys(acct, []*batch.Column{null}, at[:]); err != nil {
		return err
	}
	for i := range out {
		if c.IsNull(i) {
			out[i] = at[0]
		}
	}
	return nil
}

// valueIndex places the values of one column of bytes by their own bytes, which without the
// flag of a nullable column are their key.
type valueIndex struct {
	first  int // bounds before every value
	values byteIndex
	null   int // where nulls go
}

func newValueIndex(s *Splitters) *valueIndex {
	kb := s.kb
	if len(kb.types) != 1 || kb.types[0].Kind() != batch.KindBytes || kb.enc.Width() > 0 || kb.desc {
		return nil
	}
	x := &valueIndex{}
	bounds := s.keys
	if kb.nullable {
		bounds = nil
		for _, k := range s.keys {
			switch k[0] {
			case 0:
				x.first++
			case 1:
				bounds = append(bounds, k[1:])
			}
		}
		flag := []byte{2}
		if kb.nullsTop {
			flag[0] = 0
		}
		x.null = s.strings.find(flag)
	}
	x.values = newByteIndex(bounds)
	return x
}

func (x *valueIndex) assign(c *batch.Column, out []uint16) {
	x.values.assign(c, out)
	if x.first > 0 {
		for i := range out {
			out[i] += uint16(x.first)
		}
	}
	if c.Valid == nil {
		return
	}
	for i := range out {
		if c.IsNull(i) {
			out[i] = uint16(x.null)
		}
	}
}
