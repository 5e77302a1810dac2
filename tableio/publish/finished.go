package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"path/filepath"
	"slices"

	"pqjoin/internal/vfs"
)

// The errors of Reuse.
var (
	ErrOtherKey = errors.New("it was made of something else")
	ErrDamaged  = errors.New("it is not what was written")
)

// finished is what lies in a temporary place that an earlier run filled: a line "pqjoin done 1 SHA256", then JSON.
type finished struct {
	Key   string
	Note  []byte
	Files []finishedFile // in the order of a walk
}

// finishedFile is one file. Name is relative to the temporary place, empty where that is the file.
type finishedFile struct {
	Name string
	Size int64
	Sum  uint32 // CRC-32C
}

const (
	doneMagic = "pqjoin done 1 "
	sumStep   = 1 << 20 // bytes read at a time
)

// Finish says that target i is written, as its writer made it durable, and notes something of it. Where the target has
// a Key, the temporary place then stays for the next Begin with the same key, should the set not be committed.
func (s *Set) Finish(ctx context.Context, i int, note []byte) error {
	t := s.targets[i]
	if t.Key == "" {
		return nil
	}
	files, err := s.list(ctx, s.Temp(i))
	if err != nil {
		return err
	}
	body, err := json.Marshal(&finished{Key: t.Key, Note: note, Files: files})
	if err != nil {
		return err
	}
	if err := writeFile(s.fsys, beside(t.Path, doneSuffix), seal(doneMagic, body)); err != nil {
		return err
	}
	s.keeps[i] = true
	return nil
}

// Reuse looks whether an earlier run has finished target i, and returns what it noted. It compares every file with its
// checksum. Where ok is false, the target is to be written; why says what is wrong with what was there, if anything.
func (s *Set) Reuse(ctx context.Context, i int) (note []byte, ok bool, why, err error) {
	was := s.found[i]
	if was == nil {
		return nil, false, s.unused[i], nil
	}
	files, err := s.list(ctx, s.Temp(i))
	if ctx.Err() != nil {
		return nil, false, nil, context.Cause(ctx)
	}
	if err == nil && slices.Equal(files, was.Files) {
		return was.Note, true, nil, nil
	}
	why = errors.Join(ErrDamaged, err)
	s.found[i], s.keeps[i] = nil, false
	if err := tidy(s.fsys, s.targets[i].Path); err != nil {
		return nil, false, nil, err
	}
	return nil, false, why, s.makeTemp(i)
}

// Forget makes Abort remove what is finished, too.
func (s *Set) Forget() { clear(s.keeps) }

// find looks for what an earlier run finished at target i, which is then left in its place. What
// belongs to a set that is committed is not looked at.
func (s *Set) find(i int) error {
	t := s.targets[i]
	raw, err := readFile(s.fsys, beside(t.Path, doneSuffix))
	if t.Key == "" || raw == nil || err != nil {
		return err
	}
	if r, err := readRecord(s.fsys, t.Path); err != nil {
		return err
	} else if r != nil {
		if committed, err := r.committed(s.fsys); err != nil || committed {
			return err
		}
	}
	body, ok := unseal(doneMagic, raw)
	was := &finished{}
	switch {
	case !ok || json.Unmarshal(body, was) != nil:
		s.unused[i] = ErrDamaged
	case was.Key != t.Key:
		s.unused[i] = ErrOtherKey
	default:
		s.found[i], s.keeps[i] = was, true
		return tidyRecord(s.fsys, t.Path)
	}
	return nil
}

// list sums up the files of a temporary place.
func (s *Set) list(ctx context.Context, temp string) (files []finishedFile, err error) {
	st, err := s.fsys.Stat(temp)
	if err != nil {
		return nil, err
	}
	buf := make([]byte, sumStep)
	if !st.IsDir() {
		f, err := sumFile(ctx, s.fsys, temp, buf)
		return []finishedFile{f}, err
	}
	err = walk(s.fsys, temp, "", func(name string) error {
		f, err := sumFile(ctx, s.fsys, filepath.Join(temp, name), buf)
		f.Name = name
		files = append(files, f)
		return err
	})
	return files, err
}

// walk shows the files below root/dir to see, in the order of their names.
func walk(fsys vfs.FS, root, dir string, see func(name string) error) error {
	entries, err := fsys.ReadDir(filepath.Join(root, dir))
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		switch {
		case e.IsDir():
			err = walk(fsys, root, name, see)
		case e.Type() != 0:
			err = fmt.Errorf("%s: %w: it is no file", name, fs.ErrInvalid)
		default:
			err = see(name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sumFile reads a file through buf.
func sumFile(ctx context.Context, fsys vfs.FS, path string, buf []byte) (out finishedFile, err error) {
	f, err := fsys.Open(path)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	table := crc32.MakeTable(crc32.Castagnoli)
	for {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		n, err := f.ReadAt(buf, out.Size)
		out.Sum = crc32.Update(out.Sum, table, buf[:n])
		out.Size += int64(n)
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
	}
}
