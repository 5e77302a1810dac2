package spillfile

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"pqjoin/batch"
	"pqjoin/mem"
)

// dicts reads the dictionaries, which fill their file.
func (r *restorer) dicts() (err error) {
	s, n := r.s, 0
	if s.spec.Codes {
		n = s.vars
	}
	if len(r.head.Dicts) != n {
		return r.damaged("its dictionaries")
	}
	if n == 0 {
		return nil
	}
	f, err := s.spec.Keep.open(dictSuffix)
	if err != nil {
		return s.named(err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if !fill(r.head.Dicts, st.Size()) {
		return r.damaged("its dictionaries")
	}
	if err := s.affordDicts(r.head.Dicts); err != nil {
		return s.named(err)
	}
	off := int64(0)
	for i, c := range s.cols {
		if c.varIdx < 0 {
			continue
		}
		x := r.head.Dicts[c.varIdx]
		d := &dictionary{acct: s.spec.Acct, typ: s.spec.Schema.Fields[i].Type}
		s.dicts = append(s.dicts, d)
		if err := d.read(f, off, x); err != nil {
			return s.named(err)
		}
		off += x.size()
	}
	return nil
}

// size returns the bytes of the dictionary in the file.
func (x indexDict) size() int64 {
	if x.Entries == 0 {
		return 0
	}
	return 4*(int64(x.Entries)+1) + int64(x.Data)
}

// fill says whether dictionaries are such as can be, and take size bytes in the file.
func fill(dicts []indexDict, size int64) bool {
	for _, x := range dicts {
		if x.Entries < 0 || int64(x.Entries) > math.MaxUint32 || x.Data < 0 || int64(x.Data) > batch.MaxData || x.Entries == 0 && x.Data > 0 {
			return false
		}
		if size -= x.size(); size < 0 {
			return false
		}
	}
	return size == 0
}

// affordDicts refuses, with mem.ErrLimit, dictionaries that take more than this run would let them: they stay in memory for as
// long as the store does, and the run that made them may have had more.
func (s *Store) affordDicts(dicts []indexDict) error {
	if s.spec.Acct == nil {
		return nil
	}
	need, most := float64(0), max(dictBudget(s.spec, s.vars), s.spec.Acct.Limit()/keptShare)
	for _, x := range dicts {
		need += sealedBytes*float64(x.Entries) + float64(x.Data)
	}
	if need > float64(most) {
		return fmt.Errorf("its dictionaries take %.0f bytes of at most %d: %w", need, most, mem.ErrLimit)
	}
	return nil
}

// read reads the entries of a dictionary, whose size is known to be right and which begin at off of f.
func (d *dictionary) read(f io.ReaderAt, off int64, x indexDict) error {
	if x.Entries == 0 {
		return nil
	}
	offBytes := 4 * (x.Entries + 1)
	for _, b := range []struct {
		buf  **mem.Buf
		size int
	}{{&d.offs, offBytes}, {&d.vals, max(x.Data, 1)}, {&d.infos, 16 * x.Entries}} {
		if err := replace(d.acct, b.buf, 0, b.size); err != nil {
			return err
		}
	}
	offs, vals := d.offs.Bytes()[:offBytes], d.vals.Bytes()[:x.Data]
	for _, to := range [][]byte{offs, vals} {
		if _, err := f.ReadAt(to, off); err != nil && err != io.EOF {
			return err
		}
		off += int64(len(to))
	}
	if checksum(offs, vals) != x.Sum || !cuts(batch.View[uint32](offs), x.Data) {
		return fmt.Errorf("its dictionaries: %w", ErrCorrupt)
	}
	d.n, d.data = x.Entries, x.Data
	info := d.info()
	for k := range info {
		v := d.value(uint32(k))
		info[k] = entryInfo{digest: digestBytes(v), len: uint64(len(v))}
	}
	d.seal()
	return nil
}

// cuts says whether offsets cut n bytes into values.
func cuts(offs []uint32, n int) bool {
	return offs[0] == 0 && int(offs[len(offs)-1]) == n && slices.IsSorted(offs)
}
