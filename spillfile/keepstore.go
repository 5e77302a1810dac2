package spillfile

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/gob"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
)

// indexHead begins the index of a kept store, a gob stream; an indexPart of each partition follows.
type indexHead struct {
	Store      uint64
	Columns    []string // their names and types
	Partitions int
	Codes      bool
	Nullable   []bool
	Rows       int64
	Files      []int64 // bytes of each group's file, 0 where there is none
	Dicts      []indexDict
}

// indexDict describes a dictionary: in the dictionaries' file its offsets, then its values.
type indexDict struct {
	Entries, Data int
	Sum           uint32 // CRC-32C of both
}

// indexPart is what a kept store knows of a partition.
type indexPart struct {
	Pages []int64 // of its ledger, all of it: of each the offset, bytes, and least unit
	Vars  []int64
	Coded []int64
}

// manifest is what makes a store a finished stage.
type manifest struct {
	Index [sha256.Size]byte // of its index
	Note  []byte
}

// keep makes a sealed store a finished stage: all blocks lie on disk, and what is in memory stays there.
func (s *Store) keep(ctx context.Context) error {
	if err := s.writeAll(ctx); err != nil {
		return err
	}
	for g := range s.groups {
		if f := s.groups[g].file; f != nil {
			if err := f.f.Sync(); err != nil {
				return s.spec.Dir.diskError(err)
			}
		}
	}
	stage := s.spec.Keep
	dicts, err := s.keepDicts(stage)
	if err != nil {
		return s.spec.Dir.diskError(err)
	}
	sum, err := s.keepIndex(stage, dicts)
	if err != nil {
		return s.spec.Dir.diskError(err)
	}
	m := manifest{Index: sum}
	if stage.note != nil {
		if m.Note, err = stage.note(); err != nil {
			return err
		}
	}
	return s.spec.Dir.diskError(stage.finish(m))
}

// writeAll writes every block that is in memory alone, and all ledgers.
func (s *Store) writeAll(ctx context.Context) error {
	s.spillMu.Lock()
	defer s.spillMu.Unlock()
	for p := range s.parts {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.writePart(p); err != nil {
			return err
		}
	}
	return nil
}

// writePart writes what is in memory alone of a sealed partition, which nobody reads yet.
func (s *Store) writePart(p int) error {
	part := &s.parts[p]
	part.mu.Lock()
	defer part.mu.Unlock()
	for _, k := range part.chunks {
		if k.file != nil {
			continue
		}
		if err := s.spillChunk(p, part, k); err != nil {
			return err
		}
	}
	return s.flush(p)
}

// keptWriter writes a file of a stage, counted against the limit, and sums it up. What it has written goes to the
// disk step by step, so that little of the page cache is dirty at a time.
type keptWriter struct {
	dir      *Dir
	f        vfs.File
	sum      hash.Hash
	size, at int64 // what is written, and how much of it has gone to the disk
}

func (s *Stage) create(suffix string, sum hash.Hash) (*keptWriter, error) {
	f, err := s.keep.dir.fs.Create(s.file(suffix))
	if err != nil {
		return nil, err
	}
	return &keptWriter{dir: s.keep.dir, f: f, sum: sum}, nil
}

func (w *keptWriter) Write(b []byte) (n int, err error) {
	if err := w.dir.reserve(int64(len(b))); err != nil {
		return 0, err
	}
	w.sum.Write(b)
	for n < len(b) {
		m, err := w.f.Write(b[n:min(n+flushStep, len(b))])
		n += m
		if err != nil {
			return n, err
		}
		if w.size += int64(m); w.size-w.at < flushStep {
			continue
		}
		if err := w.f.FlushRange(w.at, w.size-w.at, true); err != nil {
			return n, err
		}
		w.at = w.size
	}
	return n, nil
}

// close ends the file, durably where err is nil.
func (w *keptWriter) close(err error) error {
	if err == nil {
		err = w.f.Sync()
	}
	return errors.Join(err, w.f.Close())
}

// keepDicts writes the store's dictionaries to a file, where it has any.
func (s *Store) keepDicts(stage *Stage) (out []indexDict, err error) {
	if s.dicts == nil {
		return nil, nil
	}
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	w, err := stage.create(dictSuffix, sum)
	if err != nil {
		return nil, err
	}
	for _, d := range s.dicts {
		sum.Reset()
		if d.n > 0 {
			_, err = w.Write(d.offs.Bytes()[:4*(d.n+1)])
			if err == nil {
				_, err = w.Write(d.vals.Bytes()[:d.data])
			}
			if err != nil {
				return nil, w.close(err)
			}
		}
		out = append(out, indexDict{d.n, d.data, sum.Sum32()})
	}
	return out, w.close(nil)
}

// keepIndex writes the store's index and returns its checksum.
func (s *Store) keepIndex(stage *Stage, dicts []indexDict) (sum [sha256.Size]byte, err error) {
	w, err := stage.create(indexSuffix, sha256.New())
	if err != nil {
		return sum, err
	}
	out := bufio.NewWriter(w)
	enc := gob.NewEncoder(out)
	err = enc.Encode(s.indexHead(dicts))
	for p := range s.parts {
		if err == nil {
			err = enc.Encode(s.parts[p].index())
		}
	}
	if err == nil {
		err = out.Flush()
	}
	w.sum.Sum(sum[:0])
	return sum, w.close(err)
}

func (s *Store) indexHead(dicts []indexDict) *indexHead {
	h := &indexHead{
		Store: s.id, Columns: columnTexts(s.spec.Schema), Partitions: len(s.parts), Codes: s.spec.Codes,
		Rows: s.rowsIn(), Files: make([]int64, len(s.groups)), Dicts: dicts,
	}
	for i := range s.nullable {
		h.Nullable = append(h.Nullable, s.nullable[i].Load())
	}
	for g := range s.groups {
		if f := s.groups[g].file; f != nil {
			h.Files[g] = f.size
		}
	}
	return h
}

// columnTexts returns the names and types of columns, to be compared.
func columnTexts(schema *batch.Schema) (texts []string) {
	for _, f := range schema.Fields {
		texts = append(texts, fmt.Sprintf("%s %+v", f.Name, f.Type))
	}
	return texts
}

func (part *partition) index() *indexPart {
	x := &indexPart{Vars: part.vars, Coded: part.coded}
	for _, g := range part.ledger.pages {
		x.Pages = append(x.Pages, g.off, int64(g.size), int64(g.low))
	}
	return x
}
