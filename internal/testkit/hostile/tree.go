package hostile

import (
	"bytes"
	"cmp"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"pqjoin/internal/vfs"
)

// tree is a filesystem in memory, of this process's user, whose files can be changed from outside. It knows no links.
type tree struct {
	nodes  map[string]*node // by cleaned path
	locked map[string]bool
	inodes uint64
}

// node is a file or a directory.
type node struct {
	dir   bool
	perm  fs.FileMode
	inode uint64
	b     []byte
}

// newTree has the directories.
func newTree(dirs ...string) *tree {
	t := &tree{nodes: map[string]*node{}, locked: map[string]bool{}}
	for _, d := range append(dirs, "/") {
		t.add(d, true, 0o755)
	}
	return t
}

// clone is a copy with nothing locked.
func (t *tree) clone() *tree {
	c := &tree{nodes: map[string]*node{}, locked: map[string]bool{}, inodes: t.inodes}
	for name, n := range t.nodes {
		m := *n
		m.b = bytes.Clone(n.b)
		c.nodes[name] = &m
	}
	return c
}

func (t *tree) add(name string, dir bool, perm fs.FileMode) *node {
	t.inodes++
	n := &node{dir: dir, perm: perm, inode: t.inodes}
	t.nodes[name] = n
	return n
}

// below returns the paths of what lies in a directory, at any depth, sorted.
func (t *tree) below(dir string) (names []string) {
	for name := range t.nodes {
		if strings.HasPrefix(name, strings.TrimSuffix(dir, "/")+"/") && name != "/" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// failed is the error of an operation.
func failed(op, name string, err error) error { return &fs.PathError{Op: op, Path: name, Err: err} }

// place says whether a name may be made.
func (t *tree) place(op, name string) (string, error) {
	name = filepath.Clean(name)
	dir := t.nodes[filepath.Dir(name)]
	switch {
	case t.nodes[name] != nil:
		return name, failed(op, name, syscall.EEXIST)
	case dir == nil:
		return name, failed(op, name, syscall.ENOENT)
	case !dir.dir:
		return name, failed(op, name, syscall.ENOTDIR)
	}
	return name, nil
}

// at returns what has a name.
func (t *tree) at(op, name string) (*node, string, error) {
	name = filepath.Clean(name)
	n := t.nodes[name]
	if n == nil {
		return nil, name, failed(op, name, syscall.ENOENT)
	}
	return n, name, nil
}

func (t *tree) Create(name string) (vfs.File, error) {
	name, err := t.place("create", name)
	if err != nil {
		return nil, err
	}
	return &treeFile{n: t.add(name, false, 0o600), name: name}, nil
}

func (t *tree) Open(name string) (vfs.File, error) {
	n, name, err := t.at("open", name)
	if err != nil {
		return nil, err
	}
	return &treeFile{n: n, name: name}, nil
}

func (t *tree) Mkdir(name string, perm fs.FileMode) error {
	name, err := t.place("mkdir", name)
	if err == nil {
		t.add(name, true, perm)
	}
	return err
}

func (t *tree) MkdirAll(name string, perm fs.FileMode) error {
	name = filepath.Clean(name)
	if n := t.nodes[name]; n != nil && n.dir {
		return nil
	}
	if err := t.MkdirAll(filepath.Dir(name), perm); err != nil {
		return err
	}
	return t.Mkdir(name, perm)
}

func (t *tree) Remove(name string) error {
	_, name, err := t.at("remove", name)
	if err == nil && len(t.below(name)) > 0 {
		err = failed("remove", name, syscall.ENOTEMPTY)
	}
	if err == nil {
		delete(t.nodes, name)
	}
	return err
}

func (t *tree) RemoveAll(name string) error {
	name = filepath.Clean(name)
	for _, n := range append(t.below(name), name) {
		delete(t.nodes, n)
	}
	return nil
}

func (t *tree) Rename(from, to string) error {
	n, from, err := t.at("rename", from)
	if err != nil {
		return err
	}
	to = filepath.Clean(to)
	if old := t.nodes[to]; old != nil {
		switch {
		case old.dir != n.dir || len(t.below(to)) > 0:
			return failed("rename", to, syscall.ENOTEMPTY)
		case from == to:
			return nil
		}
		delete(t.nodes, to)
	}
	if _, err := t.place("rename", to); err != nil {
		return err
	}
	maps.Copy(t.nodes, t.take(from, to))
	return nil
}

// take takes what lies at a name out, as what is to lie at another.
func (t *tree) take(from, to string) map[string]*node {
	moved := map[string]*node{}
	for _, name := range append(t.below(from), from) {
		moved[to+strings.TrimPrefix(name, from)] = t.nodes[name]
		delete(t.nodes, name)
	}
	return moved
}

func (t *tree) RenameNew(from, to string) error {
	if _, err := t.place("renamenew", to); err != nil {
		return err
	}
	return t.Rename(from, to)
}

func (t *tree) Exchange(a, b string) error {
	_, a, aerr := t.at("exchange", a)
	_, b, berr := t.at("exchange", b)
	if err := cmp.Or(aerr, berr); err != nil {
		return err
	}
	first, second := t.take(a, b), t.take(b, a)
	maps.Copy(t.nodes, first)
	maps.Copy(t.nodes, second)
	return nil
}

func (t *tree) Chmod(name string, mode fs.FileMode) error {
	n, _, err := t.at("chmod", name)
	if err == nil {
		n.perm = mode
	}
	return err
}

func (t *tree) SyncDir(name string) error {
	_, _, err := t.at("syncdir", name)
	return err
}

func (t *tree) Stat(name string) (fs.FileInfo, error) {
	n, name, err := t.at("stat", name)
	return treeInfo{n, filepath.Base(name)}, err
}

func (t *tree) ReadDir(name string) (out []fs.DirEntry, err error) {
	n, name, err := t.at("readdir", name)
	if err == nil && !n.dir {
		err = failed("readdir", name, syscall.ENOTDIR)
	}
	if err != nil {
		return nil, err
	}
	for _, inside := range t.below(name) {
		if filepath.Dir(inside) == name {
			out = append(out, fs.FileInfoToDirEntry(treeInfo{t.nodes[inside], filepath.Base(inside)}))
		}
	}
	return out, nil
}

func (t *tree) Lock(name string) (io.Closer, error) {
	name = filepath.Clean(name)
	if t.locked[name] {
		return nil, failed("lock", name, vfs.ErrLocked)
	}
	if t.nodes[name] == nil {
		if _, err := t.place("lock", name); err != nil {
			return nil, err
		}
		t.add(name, false, 0o600)
	}
	t.locked[name] = true
	return &treeLock{t, name}, nil
}

func (t *tree) Space(string) (int64, bool, error) { return 1 << 40, false, nil }

type treeLock struct {
	t    *tree
	name string
}

func (l *treeLock) Close() error {
	delete(l.t.locked, l.name)
	return nil
}

// treeFile is an open file, which lives on where its name is removed.
type treeFile struct {
	n    *node
	name string
}

func (f *treeFile) Name() string { return f.name }
func (f *treeFile) ReadAt(p []byte, off int64) (int, error) {
	if f.n.dir {
		return 0, failed("read", f.name, syscall.EISDIR)
	}
	return bytes.NewReader(f.n.b).ReadAt(p, off)
}

func (f *treeFile) WriteAt(p []byte, off int64) (int, error) {
	if need := int(off) + len(p); need > len(f.n.b) {
		f.n.b = append(f.n.b, make([]byte, need-len(f.n.b))...)
	}
	return copy(f.n.b[off:], p), nil
}

func (f *treeFile) Write(p []byte) (int, error)              { return f.WriteAt(p, int64(len(f.n.b))) }
func (f *treeFile) Stat() (fs.FileInfo, error)               { return treeInfo{f.n, filepath.Base(f.name)}, nil }
func (f *treeFile) Sync() error                              { return nil }
func (f *treeFile) Close() error                             { return nil }
func (f *treeFile) FlushRange(off, n int64, wait bool) error { return nil }
func (f *treeFile) WillNeed(off, n int64)                    {}
func (f *treeFile) DontNeed(off, n int64)                    {}
func (f *treeFile) Random()                                  {}

type treeInfo struct {
	n    *node
	name string
}

func (i treeInfo) Name() string       { return i.name }
func (i treeInfo) Size() int64        { return int64(len(i.n.b)) }
func (i treeInfo) IsDir() bool        { return i.n.dir }
func (i treeInfo) ModTime() time.Time { return time.Time{} }
func (i treeInfo) Sys() any {
	return &syscall.Stat_t{Dev: 1, Ino: i.n.inode, Uid: uint32(os.Geteuid())}
}

func (i treeInfo) Mode() fs.FileMode {
	if i.n.dir {
		return fs.ModeDir | i.n.perm
	}
	return i.n.perm
}
