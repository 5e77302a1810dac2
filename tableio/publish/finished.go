package publish

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"path/filepath"

	"pqjoin/internal/vfs"
)

// The errors of Reuse.
var (
	ErrOtherKey = errors.New("it was made of something else")
	ErrDamaged  = errors.New("it is not what was written")
)

// finished is what lies in a temporary place that an earlier run filled: a line "pqjoin done 1 SHA256", then JSON.
type finished struct {
	Key  string
	Note []byte
	Sum  string // of the files, see sum
}

const (
	doneMagic = "pqjoin done 1 "
	sumStep   = 1 << 20 // bytes read at a time
)

// Finish says that target i is written, its files as their writer made them durable, and notes something of it. Where the
// target has a Key, the temporary place then stays for the next Begin with the same key, should the set not be committed.
// A note that is too long to be read back is not kept, nor is the place.
func (s *Set) Finish(ctx context.Context, i int, note []byte) error {
	t := s.targets[i]
	if t.Key == "" {
		return nil
	}
	sum, err := s.sum(ctx, s.Temp(i), seeing{left: s.fsys.SyncDir}) // the names of its files become durable, too
	if err != nil {
		return err
	}
	body, err := json.Marshal(&finished{Key: t.Key, Note: note, Sum: sum})
	if err != nil {
		return err
	}
	raw := vfs.Seal(doneMagic, body)
	if len(raw) > maxRecord {
		return nil
	}
	if err := writeFile(s.fsys, beside(t.Path, doneSuffix), raw); err != nil {
		return err
	}
	s.keeps[i] = true
	return nil
}

// Reuse looks whether an earlier run has finished target i, and returns what it noted. It compares every file with its
// checksum. Where ok is false, the target is to be written; why says what is wrong with what was there, if anything.
// What cannot be read now (too many files are open, say) may be sound: that is an error, and it stays. read is told of the bytes
// that are compared; it may be nil.
func (s *Set) Reuse(ctx context.Context, i int, read func(bytes int64)) (note []byte, ok bool, why, err error) {
	was := s.found[i]
	if was == nil {
		return nil, false, s.unused[i], nil
	}
	sum, err := s.sum(ctx, s.Temp(i), seeing{read: read, left: func(string) error { return nil }})
	if ctx.Err() != nil {
		return nil, false, nil, context.Cause(ctx)
	}
	switch {
	case err == nil && sum == was.Sum:
		return was.Note, true, nil, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrInvalid):
		return nil, false, nil, fmt.Errorf("%w; an earlier run had finished this, and it stays: a run without --resume writes it again", err)
	}
	return nil, false, errors.Join(ErrDamaged, err), s.Discard(i)
}

// Discard removes what Reuse gave of target i: the target is to be written.
func (s *Set) Discard(i int) error {
	s.found[i], s.keeps[i] = nil, false
	if err := tidy(s.fsys, s.targets[i].Path); err != nil {
		return err
	}
	return s.makeTemp(i)
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
	body, ok := vfs.Unseal(doneMagic, raw)
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

// seeing is who is told while files are summed up.
type seeing struct {
	read func(bytes int64)      // of bytes that were read; may be nil
	left func(dir string) error // of each directory whose files were seen
}

// sum returns a checksum of the names, sizes and checksums of a temporary place's files: its length does not depend on
// how many there are.
func (s *Set) sum(ctx context.Context, temp string, tell seeing) (string, error) {
	st, err := s.fsys.Stat(temp)
	if err != nil {
		return "", err
	}
	all, buf := sha256.New(), make([]byte, sumStep)
	see := func(name string) error {
		size, sum, err := sumFile(ctx, s.fsys, filepath.Join(temp, name), buf, tell.read)
		_, _ = fmt.Fprintf(all, "%q %d %08x\n", name, size, sum)
		return err
	}
	if st.IsDir() {
		err = walk(s.fsys, temp, "", see, tell.left)
	} else {
		err = see("")
	}
	return hex.EncodeToString(all.Sum(nil)), err
}

// walk shows the files below root/dir to see, in the order of their names, and then the directory to left.
func walk(fsys vfs.FS, root, dir string, see, left func(name string) error) error {
	entries, err := fsys.ReadDir(filepath.Join(root, dir))
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		switch {
		case e.IsDir():
			err = walk(fsys, root, name, see, left)
		case e.Type() != 0:
			err = fmt.Errorf("%s: %w: it is no file", name, fs.ErrInvalid)
		default:
			err = see(name)
		}
		if err != nil {
			return err
		}
	}
	return left(filepath.Join(root, dir))
}

// sumFile returns a file's size and its CRC-32C; it reads through buf, and tells read where that is not nil.
func sumFile(ctx context.Context, fsys vfs.FS, path string, buf []byte, read func(bytes int64)) (size int64, sum uint32, err error) {
	f, err := fsys.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	table := crc32.MakeTable(crc32.Castagnoli)
	for {
		if err := ctx.Err(); err != nil {
			return size, sum, err
		}
		n, err := f.ReadAt(buf, size)
		sum = crc32.Update(sum, table, buf[:n])
		size += int64(n)
		if read != nil {
			read(int64(n))
		}
		if err == io.EOF {
			return size, sum, nil
		}
		if err != nil {
			return size, sum, err
		}
	}
}
