package hostile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"path/filepath"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
	"pqjoin/internal/testkit/mutate"
	"pqjoin/internal/vfs"
	"pqjoin/mem"
	"pqjoin/spillfile"
)

const (
	keptName  = "one"
	keptNote  = "what was noted"
	keptMagic = "pqjoin stage 1 "
)

var (
	keptSpec   = spillfile.KeepSpec{Job: "0a", Key: "1b", About: []byte("what it is about")}
	keptSchema = batch.NewSchema(spillSchema.Fields[2], spillSchema.Fields[3], spillSchema.Fields[5])
)

// kept is a store that a run kept and another takes over.
type kept struct {
	fs   *tree
	dir  string // of the stage
	want uint64 // hash of its rows
}

// newKept keeps a store, in dictionaries or flat.
func newKept(codes bool) (k *kept, err error) {
	k = &kept{fs: newTree("/spill"), dir: "/spill/pqjoin-keep-" + keptSpec.Job + "-" + keptSpec.Key}
	pool := mem.NewPool(poolLimit)
	if err := k.in(k.fs, pool, codes, func(spec spillfile.Spec) (err error) {
		k.want, err = k.make(spec)
		return err
	}); err != nil {
		return nil, err
	}
	return k, pool.Close()
}

// in calls use with the spec of the stage in a directory of a run.
func (k *kept) in(fsys vfs.FS, pool *mem.Pool, codes bool, use func(spec spillfile.Spec) error) error {
	dir, err := spillfile.OpenDir(fsys, filepath.Dir(k.dir), 0)
	if err != nil {
		return err
	}
	keep, _, err := spillfile.OpenKeep(dir, keptSpec)
	if err != nil {
		return errors.Join(err, dir.Close())
	}
	acct := pool.Account("store", 0)
	stage := keep.Stage(keptName, func() ([]byte, error) { return []byte(keptNote), nil })
	err = use(spillfile.Spec{Name: "input", Schema: keptSchema, Partitions: spillParts, Workers: 1, BlockBytes: 4 << 10, Acct: acct, Dir: dir, Codes: codes, Keep: stage})
	if cerr := errors.Join(acct.Close(), keep.Close(true), dir.Close()); cerr != nil {
		return wrongf("what was opened cannot be closed: %v (after %v)", cerr, err)
	}
	return err
}

// make makes the store, keeps it, and returns the hash of its rows.
func (k *kept) make(spec spillfile.Spec) (sum uint64, err error) {
	s, err := spillfile.New(spec)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	layout := batchtest.Flat
	if spec.Codes {
		layout = batchtest.Dict
	}
	for unit := range 2 {
		r := rand.New(rand.NewPCG(4, uint64(unit)))
		rows, part := make([][]any, 14), make([]uint16, 14)
		for i := range rows {
			part[i] = uint16(i % spillParts)
			for _, f := range keptSchema.Fields {
				rows[i] = append(rows[i], spillValue(r, f, i, unit > 0 && !spec.Codes))
			}
		}
		b, err := batchtest.Batch(nil, keptSchema, rows, func(int) batchtest.Layout { return layout })
		if err == nil {
			err = s.Append(context.Background(), 0, unit, part, b)
		}
		if err != nil {
			return 0, err
		}
	}
	if err := s.Seal(context.Background()); err != nil {
		return 0, err
	}
	return rowsOf(s, spec.Acct)
}

// rowsOf reads a store twice, and returns the hash of its rows.
func rowsOf(s *spillfile.Store, acct *mem.Account) (uint64, error) {
	streamed, loaded := fnv.New64a(), fnv.New64a()
	for p := range s.Partitions() {
		st, err := s.Stream(context.Background(), p, acct, nil, 9)
		if err == nil {
			err = batchtest.Drain(st, func(b *batch.Batch) {
				for _, row := range batchtest.Rows(b) {
					fmt.Fprintf(streamed, "%d %v\n", p, row)
				}
			})
		}
		if err != nil {
			return 0, err
		}
		b, err := s.Load(context.Background(), p, acct, nil)
		if err != nil {
			return 0, err
		}
		for _, row := range batchtest.Rows(b) {
			fmt.Fprintf(loaded, "%d %v\n", p, row)
		}
		b.Release()
	}
	if streamed.Sum64() != loaded.Sum64() {
		return 0, wrongf("other rows are streamed than are loaded")
	}
	return loaded.Sum64(), nil
}

// keptFile reads the kept store with other bytes in one of its files.
type keptFile struct {
	*kept
	name   string
	codes  bool
	forged bool // its checksums are right: what it says may be believed, where it can be
}

// bytes returns the file as it was kept.
func (f *keptFile) bytes() []byte { return f.fs.nodes[filepath.Join(f.dir, f.name)].b }

// read takes the store over, as the next run would, or says why not; then the stage is made again, and taken over once more.
func (f *keptFile) read(t *trial, b []byte) error {
	fsys := f.fs.clone()
	fsys.nodes[filepath.Join(f.dir, f.name)].b = bytes.Clone(b)
	err := f.in(fsys, t.pool, f.codes, f.restore)
	var wrong wrongError
	if err == nil || errors.As(err, &wrong) || errors.Is(err, mem.ErrLimit) {
		return err
	}
	if bytes.Equal(b, f.bytes()) {
		return wrongf("the bytes are as they were kept, and: %v", err)
	}
	if t.how%4 != 0 {
		return err
	}
	if again := f.in(fsys, t.pool, f.codes, f.remake); again != nil {
		return wrongf("it is refused, and cannot be made again: %v (after %v)", again, err)
	}
	if again := f.in(fsys, t.pool, f.codes, f.restore); again != nil {
		return wrongf("it was made again, and cannot be taken over: %v (after %v)", again, err)
	}
	return err
}

// restore takes the store over and reads it.
func (f *keptFile) restore(spec spillfile.Spec) (err error) {
	s, note, err := spillfile.Restore(context.Background(), spec)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	rows, err := rowsOf(s, spec.Acct)
	if err == nil && !f.forged && (rows != f.want || string(note) != keptNote) {
		return wrongf("other rows than were kept, or another note, %q", note)
	}
	return err
}

// remake does what a run does with a stage that it cannot take over.
func (f *keptFile) remake(spec spillfile.Spec) error {
	if err := spec.Keep.Remove(); err != nil {
		return err
	}
	rows, err := f.make(spec)
	if err == nil && rows != f.want {
		err = errors.New("other rows are made of the same")
	}
	return err
}

func keptFamilies(string, string) (out []*Family, seeds int, err error) {
	for _, codes := range []bool{false, true} {
		k, err := newKept(codes)
		if err != nil {
			return nil, 0, err
		}
		files := []string{"about", keptName + ".stage", keptName + ".index", keptName + ".0.spill"}
		if codes {
			files = []string{keptName + ".index", keptName + ".dict", keptName + ".0.spill"}
		}
		for _, name := range files {
			f := &keptFile{kept: k, name: name, codes: codes}
			seed := []seedFile{{name, f.bytes()}}
			title := "kept store, " + map[bool]string{false: "values, ", true: "codes, "}[codes] + name
			out = append(out, bits(title, 3, seed, f), cuts(title, 1, seed, f),
				other(title, "bytes moved", 1, f, func(r *rand.Rand) []byte { return mutate.Splice(r, f.bytes(), f.bytes()) }))
			seeds++
		}
		forged := &forgedKept{keptFile{kept: k, name: keptName + ".index", codes: codes, forged: true}}
		out = append(out, other("kept store, "+map[bool]string{false: "values", true: "codes"}[codes], "index changed, checksums right", 6, forged, forged.forged))
		if codes {
			continue
		}
		f := &keptFile{kept: k, name: keptName + ".stage", forged: true}
		out = append(out, other("kept store, "+f.name, "changed, checksum right", 3, f, func(r *rand.Rand) []byte { return mutate.Sealed(r, keptMagic, f.bytes()) }))
	}
	return out, seeds, nil
}
