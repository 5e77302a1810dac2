package spillfile

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"

	"pqjoin/internal/vfs"
)

// The files of a kept store, besides those of its blocks.
const (
	indexSuffix = ".index"
	dictSuffix  = ".dict"
)

// open opens a file of a finished stage. That it is missing is damage.
func (s *Stage) open(suffix string) (vfs.File, error) {
	f, err := s.keep.dir.fs.Open(s.file(suffix))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return f, err
}

// finish writes the manifest, last of all.
func (s *Stage) finish(m manifest) error {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(m); err != nil {
		return err
	}
	if err := s.keep.dir.fs.SyncDir(s.keep.path); err != nil {
		return err
	}
	return s.keep.write(s.name+stageSuffix, b.Bytes())
}

// Restore returns the store that an earlier run kept as the stage spec.Keep, sealed, and what was noted of it. Every
// byte of it is verified, by the spec's Workers. The spec says its columns, Codes and where memory comes from; partitions are those
// that it has. Errors:
// ErrNotKept where there is none; ErrCorrupt where it is not what was kept, or no store of these columns; mem.ErrLimit where its
// dictionaries are too large for this run.
func Restore(ctx context.Context, spec Spec) (*Store, []byte, error) {
	raw, err := spec.Keep.Finished()
	if err != nil {
		return nil, nil, err
	}
	var m manifest
	if err := gob.NewDecoder(bytes.NewReader(raw)).Decode(&m); err != nil {
		return nil, nil, fmt.Errorf("%s: its manifest: %w", spec.Name, ErrCorrupt)
	}
	r := &restorer{s: &Store{spec: spec, remove: func() {}}}
	if err = r.restore(ctx, m); err != nil {
		err = errors.Join(err, r.s.Close())
		spec.Keep.keep.dir.unreserve(r.reserved)
		return nil, nil, err
	}
	return r.s, m.Note, nil
}

// restorer puts a kept store together.
type restorer struct {
	s        *Store
	head     indexHead
	reserved int64 // bytes on disk, counted
}

// damaged is an ErrCorrupt of the store.
func (r *restorer) damaged(format string, args ...any) error {
	return r.s.named(fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrCorrupt))
}

// undecoded is damaged, but where err says that the index could not be read.
func (r *restorer) undecoded(err error, format string, args ...any) error {
	if read := (*fs.PathError)(nil); errors.As(err, &read) {
		return err
	}
	return r.damaged(format, args...)
}

// restore reads the index. Its checksum says that it is what was written, not that what it says can be: each number
// of it is compared with the files and with the others before it is used.
func (r *restorer) restore(ctx context.Context, m manifest) (err error) {
	f, err := r.s.spec.Keep.open(indexSuffix)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	whole := func() io.Reader { return bufio.NewReaderSize(io.NewSectionReader(f, 0, math.MaxInt64), 1<<16) }
	sum := sha256.New()
	if _, err := io.Copy(sum, whole()); err != nil {
		return err
	}
	if [sha256.Size]byte(sum.Sum(nil)) != m.Index {
		return r.damaged("its index")
	}
	dec := gob.NewDecoder(whole())
	if err := dec.Decode(&r.head); err != nil {
		return r.undecoded(err, "its index")
	}
	if err := r.begin(); err != nil {
		return err
	}
	if err := r.dicts(); err != nil {
		return err
	}
	for p := range r.s.parts {
		var x indexPart
		if err := dec.Decode(&x); err != nil {
			return r.undecoded(err, "its index of partition %d", p)
		}
		if err := r.part(p, &x); err != nil {
			return err
		}
	}
	r.s.isSealed.Store(true)
	return r.s.verifyAll(ctx)
}

// begin makes the empty store and opens its files.
func (r *restorer) begin() error {
	s, h := r.s, &r.head
	if h.Partitions < 1 || h.Partitions > math.MaxUint16+1 || h.Codes != s.spec.Codes || !slices.Equal(h.Columns, columnTexts(s.spec.Schema)) {
		return r.damaged("it holds another table")
	}
	s.spec.Partitions, s.spec.Workers, s.id = h.Partitions, max(s.spec.Workers, 1), h.Store
	s.cols, s.vars = columnsOf(s.spec.Schema)
	if len(h.Nullable) != len(s.cols) {
		return r.damaged("its columns")
	}
	if n := len(h.Files); n < 1 || n > min(maxGroups, h.Partitions) {
		return r.damaged("its files")
	}
	s.nullable = makeNullable(h.Nullable, len(s.cols))
	s.parts = make([]partition, h.Partitions)
	s.workers = []worker{{rows: h.Rows}}
	s.makeGroups(len(h.Files))
	for g, size := range h.Files {
		if size == 0 {
			continue
		}
		f, err := s.spec.Keep.reopen(g, size)
		if err != nil {
			return s.named(err)
		}
		r.reserved += size
		s.groups[g].file = f
		s.files++
	}
	return nil
}

// part enters a partition. The error wraps ErrCorrupt where what the index or the ledger says of it cannot be.
func (r *restorer) part(p int, x *indexPart) error {
	s, part := r.s, &r.s.parts[p]
	if !part.enterPages(x.Pages, s.groups[s.groupOf(p)].file) {
		return r.damaged("its index of partition %d", p)
	}
	for ledger := s.readLedger(p); ; {
		least := ledger.low()
		k, err := ledger.chunk()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if k.low() < least { // its rows would come too late
			return r.damaged("its index of partition %d", p)
		}
		part.rows += k.rows()
		part.blocks += len(k.blocks)
		part.bytes += int64(k.used)
		part.onDisk += int64(k.stored)
	}
	if !s.enterVars(part, x) {
		return r.damaged("its index of partition %d", p)
	}
	return nil
}

// enterPages enters the pages of the partition's ledger, which lie within the file; false where they do not.
func (part *partition) enterPages(pages []int64, file *spillFile) bool {
	l := &part.ledger
	l.low = noUnit
	if len(pages)%3 != 0 || len(pages) > 0 && file == nil {
		return false
	}
	for g := range slices.Chunk(pages, 3) {
		off, size, low := g[0], g[1], g[2]
		if size <= blockHeader || size > maxPage || off < 0 || off > file.size-size || low < 0 || low > noUnit {
			return false
		}
		l.pages = append(l.pages, ledgerPage{off: off, size: int32(size), low: int32(low)})
	}
	if len(pages) > 0 {
		l.file = file
	}
	return true
}

// enterVars enters what the index says of the columns of variable width. A flat value's bytes lie in a block, those of
// a coded one in the dictionary.
func (s *Store) enterVars(part *partition, x *indexPart) bool {
	n := 0
	if part.rows > 0 {
		n = s.vars
	}
	if len(x.Vars) != n || len(x.Coded) != n {
		return false
	}
	for v, coded := range x.Coded {
		longest := 0
		if s.dicts != nil {
			longest = s.dicts[v].data
		}
		if coded < 0 || coded > part.rows || coded > 0 && (s.dicts == nil || s.dicts[v].n == 0) ||
			x.Vars[v] < 0 || float64(x.Vars[v]) > float64(part.bytes)+float64(coded)*float64(longest) {
			return false
		}
	}
	part.vars, part.coded = x.Vars, x.Coded
	return true
}
