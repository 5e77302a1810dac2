package hostile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"

	"pqjoin/internal/testkit/mutate"
	"pqjoin/internal/vfs"
	"pqjoin/tableio/publish"
)

// The targets of published, and how what lies beside them begins.
const (
	outDir, outFile    = "/o/out", "/o/one.parquet"
	doneMagic          = "pqjoin done 1 "
	setMagic           = "pqjoin set 1 "
	oldBytes, newBytes = "the old output", "the new output"
)

// published is what a run left that died while it wrote two outputs: both finished, or both committed and neither in its place.
type published struct{ fs *tree }

// errDied ends a run on a filesystem.
var errDied = errors.New("the process has died")

// mortal is a tree on which nothing is exchanged any more: a run dies where it would put its set in place.
type mortal struct{ *tree }

func (mortal) Exchange(string, string) error { return failed("exchange", outDir, errDied) }

func targets() []publish.Target {
	return []publish.Target{{Path: outDir, Replace: true, Key: "a key"}, {Path: outFile, SingleFile: true, Replace: true, Key: "a key"}}
}

// newPublished lets a run die, before its set is committed or after.
func newPublished(committed bool) (*published, error) {
	t := newTree("/o", outDir)
	t.add(outFile, false, 0o644).b = []byte(oldBytes)
	t.add(outDir+"/part", false, 0o644).b = []byte(oldBytes)
	set, err := publish.Begin(mortal{t}, targets())
	if err != nil {
		return nil, err
	}
	if _, err := fill(t, set); err != nil {
		return nil, err
	}
	if !committed {
		return &published{t.clone()}, nil // nobody has given anything up
	}
	if err := set.Commit(context.Background()); !errors.Is(err, errDied) {
		return nil, fmt.Errorf("the run has not died: %w", err)
	}
	return &published{t.clone()}, nil
}

// fill writes what is not finished yet, and says how many outputs were.
func fill(fsys vfs.FS, set *publish.Set) (reused int, err error) {
	for i, t := range targets() {
		_, ok, _, err := set.Reuse(context.Background(), i, nil)
		if err != nil {
			return reused, err
		}
		if ok {
			reused++
			continue
		}
		path := set.Temp(i)
		if !t.SingleFile {
			path = filepath.Join(path, "part")
		}
		if err := vfs.WriteSynced(fsys, path, []byte(newBytes)); err != nil {
			return reused, err
		}
		if err := set.Finish(context.Background(), i, []byte(t.Path)); err != nil {
			return reused, err
		}
	}
	return reused, nil
}

// publishedFile is what lies beside an output, with other bytes in one file.
type publishedFile struct {
	*published
	path   string
	forged bool
}

func (f *publishedFile) bytes() []byte { return f.fs.nodes[f.path].b }

// read lets the next run, or clean, put in order what is there. Whatever that is, no output is anything but one of the whole ones,
// and a run ends with the new ones and nothing beside them.
func (f *publishedFile) read(t *trial, b []byte) error {
	fsys := f.fs.clone()
	fsys.nodes[f.path].b = bytes.Clone(b)
	if t.how%3 == 0 {
		_, err := publish.Recover(fsys, filepath.Dir(outDir))
		if wrong := f.check(fsys, err, oldBytes, newBytes); wrong != nil {
			return wrong
		}
	}
	set, err := publish.Begin(fsys, targets())
	reused := 0
	if err == nil {
		if reused, err = fill(fsys, set); err == nil {
			err = set.Commit(context.Background())
		}
		set.Abort()
	}
	if err != nil {
		return errors.Join(f.check(fsys, err, oldBytes, newBytes), err)
	}
	if wrong := f.check(fsys, nil, newBytes); wrong != nil {
		return wrong
	}
	if left := beside(fsys); len(left) > 0 {
		return wrongf("left over: %v", left)
	}
	if reused < len(targets()) {
		return fmt.Errorf("%s: %w", f.path, publish.ErrDamaged)
	}
	return nil
}

// check looks at the outputs, each of which is to be one of the whole ones.
func (f *publishedFile) check(fsys *tree, err error, whole ...string) error {
	if err != nil && !(f.forged && isKnown(err)) {
		return wrongf("what is damaged ends a run: %v", err)
	}
	inside := fsys.below(outDir)
	for _, path := range []string{outDir + "/part", outFile} {
		n := fsys.nodes[path]
		if n == nil || !slices.Contains(whole, string(n.b)) || len(inside) != 1 {
			return wrongf("%s is not whole (%v)", path, inside)
		}
	}
	return nil
}

// beside returns what lies beside the outputs.
func beside(fsys *tree) (names []string) {
	for _, name := range fsys.below(filepath.Dir(outDir)) {
		if strings.Contains(name, ".pqjoin-") {
			names = append(names, name)
		}
	}
	return names
}

func publishedFamilies(string, string) (out []*Family, seeds int, err error) {
	for _, of := range []struct {
		committed    bool
		magic, label string
		paths        []string
	}{
		{false, doneMagic, "finished output, ", []string{"/o/.out.pqjoin-done", "/o/.one.parquet.pqjoin-done", "/o/.out.pqjoin-new/part"}},
		{true, setMagic, "committed set, ", []string{"/o/.out.pqjoin-set", "/o/.one.parquet.pqjoin-set", "/o/.out.pqjoin-commit"}},
	} {
		p, err := newPublished(of.committed)
		if err != nil {
			return nil, 0, err
		}
		for i, path := range of.paths {
			if p.fs.nodes[path] == nil {
				return nil, 0, failed("open", path, fs.ErrNotExist)
			}
			f := &publishedFile{published: p, path: path}
			title := of.label + filepath.Base(path)
			seed := []seedFile{{path, f.bytes()}}
			out = append(out, bits(title, 2, seed, f), cuts(title, 1, seed, f))
			seeds++
			if i == 2 {
				continue
			}
			g := &publishedFile{published: p, path: path, forged: true}
			out = append(out, other(title, "changed, checksum right", 3, g, func(r *rand.Rand) []byte { return mutate.Sealed(r, of.magic, g.bytes()) }))
		}
	}
	return out, seeds, nil
}
