package spillfile

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/gob"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pqjoin/batch"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
)

// forgery is what a kept stage says of itself, to be changed.
type forgery struct {
	head   indexHead
	parts  []indexPart
	dict   []byte
	blocks []byte   // the file of the first partitions
	chunks []*chunk // what the first partition's ledger says
}

// indexOf reads the stage that keepOne made below parent.
func indexOf(t *testing.T, parent string) (f forgery) {
	t.Helper()
	index, err := os.Open(filepath.Join(parent, keepPrefix+"0a-1b", "one"+indexSuffix))
	if err != nil {
		t.Fatal(err)
	}
	defer index.Close()
	dec := gob.NewDecoder(index)
	if err := dec.Decode(&f.head); err != nil {
		t.Fatal(err)
	}
	f.parts = make([]indexPart, f.head.Partitions)
	for p := range f.parts {
		if err := dec.Decode(&f.parts[p]); err != nil {
			t.Fatal(err)
		}
	}
	f.dict, err = os.ReadFile(filepath.Join(parent, keepPrefix+"0a-1b", "one"+dictSuffix))
	if err == nil {
		f.blocks, err = os.ReadFile(filepath.Join(parent, keepPrefix+"0a-1b", "one"+blocksSuffix(0)))
	}
	if err != nil {
		t.Fatal(err)
	}
	f.chunks = f.readChunks(t)
	return f
}

// readChunks returns the chunks of the first partition.
func (f *forgery) readChunks(t *testing.T) []*chunk {
	t.Helper()
	s := &Store{parts: make([]partition, 1), id: f.head.Store}
	if !s.parts[0].enterPages(f.parts[0].Pages, &spillFile{f: &memFile{data: f.blocks}, size: int64(len(f.blocks))}) {
		t.Fatal("no ledger")
	}
	return chunksOnDisk(t, s, 0)
}

// enter makes records the first partition's ledger, in pages that verify.
func (f *forgery) enter(records []byte, lows int32) {
	s := &Store{id: f.head.Store}
	f.parts[0].Pages = nil
	for b := range slices.Chunk(records, maxPage-blockHeader) {
		h := s.pageHeader(0, len(f.parts[0].Pages)/3, len(b))
		page := append(make([]byte, blockHeader), b...)
		h.put(page, b)
		f.parts[0].Pages = append(f.parts[0].Pages, int64(len(f.blocks)), int64(len(page)), int64(lows))
		f.blocks = append(f.blocks, page...)
	}
	f.head.Files[0] = int64(len(f.blocks))
}

// records encodes the first partition's chunks.
func (f *forgery) records() (out []byte) {
	for _, k := range f.chunks {
		out = appendRecord(out, k)
	}
	return out
}

// write makes it the stage below parent, with checksums that are right.
func (f *forgery) write(t *testing.T, parent string) {
	t.Helper()
	var b bytes.Buffer
	enc := gob.NewEncoder(&b)
	err := enc.Encode(f.head)
	for p := range f.parts {
		err = errors.Join(err, enc.Encode(f.parts[p]))
	}
	path := filepath.Join(parent, keepPrefix+"0a-1b", "one")
	for suffix, data := range map[string][]byte{indexSuffix: b.Bytes(), dictSuffix: f.dict, blocksSuffix(0): f.blocks} {
		err = errors.Join(err, os.WriteFile(path+suffix, data, 0o600))
	}
	if err != nil {
		t.Fatal(err)
	}
	dir, keep, _ := keptIn(t, vfs.OS(), parent, "1b")
	err = keep.Stage("one", nil).finish(manifest{Index: sha256.Sum256(b.Bytes()), Note: []byte("a note")})
	if err = errors.Join(err, keep.Close(true), dir.Close()); err != nil {
		t.Fatal(err)
	}
}

// resum makes the checksums of the dictionaries right.
func (f *forgery) resum() {
	at := 0
	for i, d := range f.head.Dicts {
		end := at + 4*(d.Entries+1) + d.Data
		f.head.Dicts[i].Sum = checksum(f.dict[at:end], nil)
		at = end
	}
}

// forgeries are changes that no reader may believe. part is a partition of many blocks, chunks and segments.
var forgeries = map[string]func(f *forgery, part *indexPart){
	"no partitions":                   func(f *forgery, _ *indexPart) { f.head.Partitions = 0 },
	"fewer than no rows":              func(f *forgery, _ *indexPart) { f.head.Rows = -1 },
	"a column too few":                func(f *forgery, _ *indexPart) { f.head.Nullable = f.head.Nullable[1:] },
	"a file of less than nothing":     func(f *forgery, _ *indexPart) { f.head.Files[0] = -1 },
	"a file beyond all measure":       func(f *forgery, _ *indexPart) { f.head.Files[0] = math.MaxInt64 },
	"no files":                        func(f *forgery, _ *indexPart) { f.head.Files = nil },
	"more files than a store has":     func(f *forgery, _ *indexPart) { f.head.Files = make([]int64, 100) },
	"a file too few":                  func(f *forgery, _ *indexPart) { f.head.Files = f.head.Files[1:] },
	"a file that is not there":        func(f *forgery, _ *indexPart) { f.head.Files[0] = 0 },
	"no dictionaries":                 func(f *forgery, _ *indexPart) { f.head.Dicts, f.dict = nil, nil },
	"empty dictionaries":              func(f *forgery, _ *indexPart) { f.head.Dicts, f.dict = make([]indexDict, 2), nil },
	"a dictionary too many":           func(f *forgery, _ *indexPart) { f.head.Dicts = append(f.head.Dicts, indexDict{}) },
	"fewer than no entries":           func(f *forgery, _ *indexPart) { f.head.Dicts[0].Entries = -1 },
	"entries beyond all measure":      func(f *forgery, _ *indexPart) { f.head.Dicts[0].Entries = 1 << 60 },
	"as many entries as there can be": func(f *forgery, _ *indexPart) { f.head.Dicts[0].Entries = math.MaxInt },
	"more codes than there are":       func(f *forgery, _ *indexPart) { f.head.Dicts[0].Entries = 1 << 33 },
	"values of less than nothing":     func(f *forgery, _ *indexPart) { f.head.Dicts[0].Data = -1 },
	"values beyond all measure":       func(f *forgery, _ *indexPart) { f.head.Dicts[0].Data = math.MaxInt },
	"values of no entries":            func(f *forgery, _ *indexPart) { f.head.Dicts[0].Entries, f.head.Dicts[0].Data = 0, 5 },
	"values taken for offsets": func(f *forgery, _ *indexPart) { // of the same bytes, and checksum
		f.head.Dicts[0].Entries, f.head.Dicts[0].Data = f.head.Dicts[0].Entries+3, f.head.Dicts[0].Data-12
	},
	"offsets that go back": func(f *forgery, _ *indexPart) {
		batch.View[uint32](f.dict)[2] = math.MaxUint32
		f.resum()
	},
	"offsets that do not begin at nothing": func(f *forgery, _ *indexPart) {
		batch.View[uint32](f.dict)[0] = 1
		f.resum()
	},
	"more than the dictionaries":   func(f *forgery, _ *indexPart) { f.dict = append(f.dict, 0) },
	"half a page":                  func(_ *forgery, p *indexPart) { p.Pages = p.Pages[1:] },
	"no pages":                     func(_ *forgery, p *indexPart) { p.Pages = nil },
	"a page before the file":       func(_ *forgery, p *indexPart) { p.Pages[0] = -1 },
	"a page behind the file":       func(_ *forgery, p *indexPart) { p.Pages[0] = math.MaxInt64 },
	"a page of nothing":            func(_ *forgery, p *indexPart) { p.Pages[1] = blockHeader },
	"a page of less than nothing":  func(_ *forgery, p *indexPart) { p.Pages[1] = -1 },
	"a page cut off":               func(_ *forgery, p *indexPart) { p.Pages[1]-- },
	"a page beyond all measure":    func(_ *forgery, p *indexPart) { p.Pages[1] = math.MaxInt64 },
	"a page twice":                 func(_ *forgery, p *indexPart) { p.Pages = append(p.Pages, p.Pages...) },
	"a block taken for a page":     func(f *forgery, p *indexPart) { p.Pages[0] = f.chunks[0].off },
	"a unit before the first":      func(_ *forgery, p *indexPart) { p.Pages[2] = -1 },
	"a unit beyond all measure":    func(_ *forgery, p *indexPart) { p.Pages[2] = math.MaxInt64 },
	"values of no column":          func(_ *forgery, p *indexPart) { p.Vars = nil },
	"values of too many columns":   func(_ *forgery, p *indexPart) { p.Vars = append(p.Vars, 0) },
	"less than no bytes":           func(_ *forgery, p *indexPart) { p.Vars[0] = -1 },
	"bytes beyond all measure":     func(_ *forgery, p *indexPart) { p.Vars[1] = math.MaxInt64 },
	"codes of no column":           func(_ *forgery, p *indexPart) { p.Coded = p.Coded[1:] },
	"fewer than no codes":          func(_ *forgery, p *indexPart) { p.Coded[0] = -1 },
	"more codes than rows":         func(_ *forgery, p *indexPart) { p.Coded[0] = math.MaxInt64 },
	"codes of an empty dictionary": forgeNoEntries,
}

// forgeNoEntries makes the first dictionary one without entries.
func forgeNoEntries(f *forgery, p *indexPart) {
	d := &f.head.Dicts[0]
	f.dict = f.dict[4*(d.Entries+1)+d.Data:]
	*d = indexDict{}
	rows := int64(0)
	for _, k := range f.chunks {
		for _, b := range k.blocks {
			rows += int64(b.rows)
		}
	}
	p.Coded[0] = rows
}

func TestAForgedIndexIsDamage(t *testing.T) {
	parent := t.TempDir()
	want := keepOne(t, parent)
	good := indexOf(t, parent)
	if good.head.Dicts[0].Entries < 10 || good.head.Dicts[1].Entries < 10 || len(good.chunks) < 2 {
		t.Fatalf("too little to forge: %+v, %d chunks", good.head.Dicts, len(good.chunks))
	}
	is := func(what string, f *forgery) {
		t.Helper()
		f.write(t, parent)
		if err := restoreOne(t, parent, want); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", what, err)
		}
		good.write(t, parent)
	}
	for what, forge := range forgeries {
		f := indexOf(t, parent)
		forge(&f, &f.parts[0])
		is(what, &f)
	}
	for what, word := range wordings {
		f := indexOf(t, parent)
		word(&f, severalBlocks(t, &f))
		f.enter(f.records(), 0)
		is(what, &f)
	}
	for what, records := range map[string][]byte{
		"a record cut off":              good.records()[:len(good.records())-1],
		"a length cut off":              append(good.records(), 1, 0),
		"a record beyond all measure":   {0xff, 0xff, 0xff, 0xff, 1},
		"an empty record":               append(good.records(), 0, 0, 0, 0),
		"more than a record":            append([]byte{byte(len(good.records())), byte(len(good.records()) >> 8), 0, 0}, good.records()...),
		"a number of no end":            {9, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"more blocks than bytes":        {8, 0, 0, 0, 0, 64, 0xff, 0xff, 0xff, 0xff, 0xff, 1},
		"more segments than bytes":      {9, 0, 0, 0, 0, 64, 2, 0, 64, 0xff, 0xff, 0xff, 1},
		"a chunk of one block, cut off": {3, 0, 0, 0, 0, 64, 2},
	} {
		f := indexOf(t, parent)
		f.enter(records, 0)
		is(what, &f)
	}
	if err := restoreOne(t, parent, want); err != nil {
		t.Fatal(err)
	}
}

func TestNoNumberOfAnIndexMakesAReaderPanic(t *testing.T) {
	parent := t.TempDir()
	keepOne(t, parent)
	good := indexOf(t, parent)
	r := rand.New(rand.NewPCG(7, 1))
	for range 150 {
		f := indexOf(t, parent)
		for range 1 + r.IntN(2) {
			f.scramble(r)
		}
		f.write(t, parent)
		readForged(t, parent)
		good.write(t, parent)
	}
}

// scramble changes one number, or one byte of a ledger that verifies.
func (f *forgery) scramble(r *rand.Rand) {
	p := &f.parts[r.IntN(len(f.parts))]
	values := []int64{-1, 0, 1, 8, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64, r.Int64()}
	x := values[r.IntN(len(values))]
	switch i := r.IntN(7); i {
	case 0, 1:
		records := f.records()
		records[r.IntN(len(records))] = []byte{0, 1, 127, 128, 255, byte(x)}[r.IntN(6)]
		f.enter(records, int32(r.IntN(3)))
	case 2, 3, 4:
		of := [][]int64{p.Pages, p.Vars, p.Coded}[i-2]
		k := r.IntN(len(of))
		of[k] = []int64{x, of[k] + 8, of[k] - 1, of[r.IntN(len(of))]}[r.IntN(4)]
	case 5:
		d := &f.head.Dicts[r.IntN(2)]
		d.Entries, d.Data = []int{int(x), d.Entries}[r.IntN(2)], []int{int(x), d.Data}[r.IntN(2)]
	default:
		batch.View[uint32](f.dict)[r.IntN(20)] = uint32(x)
		f.resum()
	}
}

// readForged restores a stage and reads whatever comes of it.
func readForged(t *testing.T, parent string) {
	t.Helper()
	spec, end := keptSpec(t, parent)
	s, _, err := Restore(context.Background(), spec)
	if err == nil {
		for p := range s.Partitions() {
			_, serr := streamRows(s, p, s.spec.Acct, 700)
			b, lerr := s.Load(context.Background(), p, s.spec.Acct, nil)
			b.Release()
			err = errors.Join(err, serr, lerr)
		}
		err = errors.Join(err, s.Close())
	}
	if err != nil && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrLost) && !errors.Is(err, mem.ErrLimit) {
		t.Error(err)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

func TestDictionariesTooLargeForThisRunAreNotRestored(t *testing.T) {
	saved := keptScript
	defer func() { keptScript = saved }()
	keptScript.long, keptScript.dict, keptScript.rows, keptScript.pool = true, 4, 1000, 16<<20
	parent := t.TempDir()
	keepOne(t, parent)
	size := int64(0)
	for _, d := range indexOf(t, parent).head.Dicts {
		size += int64(d.Data)
	}
	if size < 200<<10 {
		t.Fatalf("dictionaries of %d bytes", size)
	}
	for _, run := range []struct {
		limit          int64
		workers, block int
		want           error
	}{{1 << 20, 1, 4 << 10, mem.ErrLimit}, {3 << 20, keptScript.workers, keptScript.block, nil}} {
		dir, keep, _ := keptIn(t, vfs.OS(), parent, "1b")
		pool := mem.NewPool(run.limit, mem.Protect())
		sc := keptScript
		sc.workers, sc.block, sc.keep = run.workers, run.block, keep.Stage("one", nil)
		spec := sc.spec(pool.Account("store", 0), dir)
		s, _, err := Restore(context.Background(), spec)
		if !errors.Is(err, run.want) || errors.Is(err, ErrCorrupt) {
			t.Errorf("of %d bytes: %v", run.limit, err)
		}
		if peak := spec.Acct.Peak(); err != nil && peak > 0 {
			t.Errorf("%d bytes were taken", peak)
		}
		var cerr error
		if s != nil {
			cerr = s.Close()
		}
		if err := errors.Join(cerr, spec.Acct.Close(), pool.Close(), keep.Close(true), dir.Close()); err != nil {
			t.Error(err)
		}
	}
}
