package tableio

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"pqjoin/internal/vfs"
)

// maxDirDepth bounds how deep directories are followed; a loop of symbolic links ends there at the latest.
const maxDirDepth = 64

// maxFiles bounds the files of one table: each takes some memory for its footer.
const maxFiles = 1 << 20

// found is a file of a table, and its format.
type found struct {
	path, format string
	named        bool   // by its own path or by a pattern, not by a folder
	of           string // the path or pattern of the table that means it
}

// finder collects the files that paths and patterns mean.
type finder struct {
	ctx    context.Context
	fsys   vfs.FS
	format string
	of     string // the path that is looked at
	found  []found
	left   []found // files of folders that are not of the table's format
}

// find returns the files of all paths in natural order, each once, and those that are left out as the folders hold Parquet files.
func find(ctx context.Context, fsys vfs.FS, spec *Spec) (files, left []found, err error) {
	f := &finder{ctx: ctx, fsys: fsys, format: spec.Format}
	for _, p := range spec.Paths {
		before := len(f.found)
		f.of = p
		if err := f.path(p); err != nil {
			return nil, nil, err
		}
		if len(f.found) == before {
			return nil, nil, fmt.Errorf("%s: %w: nothing there is %s", p, ErrNoFiles, f.sought())
		}
	}
	if len(f.found) == 0 {
		return nil, nil, fmt.Errorf("%w: no paths are given", ErrNoFiles)
	}
	slices.SortFunc(f.found, func(a, b found) int { return naturalPaths(a.path, b.path) })
	files, err = f.oneFormat()
	return files, f.left, err
}

// sought says what is looked for.
func (f *finder) sought() string {
	if f.format == "" {
		return "a parquet, csv, tsv, jsonl or arrow file"
	}
	return "a " + f.format + " file"
}

// oneFormat refuses a mix of formats. In folders that hold Parquet files, others are no part of the table.
func (f *finder) oneFormat() ([]found, error) {
	if slices.ContainsFunc(f.found, func(p found) bool { return p.format == Parquet }) {
		isLeft := func(p found) bool { return !p.named && p.format != Parquet }
		for _, p := range f.found {
			if isLeft(p) {
				f.left = append(f.left, p)
			}
		}
		f.found = slices.DeleteFunc(f.found, isLeft)
	}
	f.found = slices.CompactFunc(f.found, func(a, b found) bool { return a.path == b.path })
	for _, p := range f.found[1:] {
		if first := f.found[0]; p.format != first.format {
			return nil, fmt.Errorf("%w: %s is %s and %s is %s; a table is of one format (format: %s reads all as that)", ErrFormat,
				first.path, first.format, p.path, p.format, first.format)
		}
	}
	return f.found, nil
}

// leftOut makes sentences of files that are left out.
func leftOut(left []found) (said []string) {
	type kind struct{ of, format string }
	var kinds []kind
	count := map[kind]int{}
	for _, p := range left {
		k := kind{p.of, p.format}
		if count[k]++; count[k] == 1 {
			kinds = append(kinds, k)
		}
	}
	for _, k := range kinds {
		what := "1 " + k.format + " file in %s is"
		if n := count[k]; n > 1 {
			what = fmt.Sprintf("%d %s files", n, k.format) + " in %s are"
		}
		said = append(said, fmt.Sprintf(what+" left out, as there are Parquet files: name them with a pattern, or set format", k.of))
	}
	return said
}

func (f *finder) path(p string) error {
	st, err := f.fsys.Stat(p)
	switch {
	case err == nil && st.IsDir():
		return f.dir(filepath.Clean(p), []fs.FileInfo{st})
	case err == nil:
		if err := f.accepts(p); err != nil {
			return err
		}
		return f.add(filepath.Clean(p), st, true)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	case !hasMeta(p):
		return fmt.Errorf("%s: %w: it does not exist", p, ErrNoFiles)
	}
	return f.glob(p)
}

// add adds a file. A pipe or a device is refused before it is opened, which may wait for ever.
func (f *finder) add(p string, st fs.FileInfo, named bool) error {
	if !st.Mode().IsRegular() {
		return fmt.Errorf("%s: %w: it is %s; inputs are read here and there, and more than once: write it to a file", p, ErrFormat, kindOf(st.Mode()))
	}
	if len(f.found) == maxFiles {
		return fmt.Errorf("%s: more than %d files in one table", p, maxFiles)
	}
	kind := f.format
	if kind == "" {
		kind = formatOf(p)
	}
	if kind == "" {
		kind = Parquet // a file named in full, whatever its name
	}
	f.found = append(f.found, found{path: p, format: kind, named: named, of: f.of})
	return nil
}

func kindOf(m fs.FileMode) string {
	switch {
	case m&fs.ModeNamedPipe != 0:
		return "a pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	}
	return "a device"
}

// otherFormats are the extensions of files that are tables of formats that are not read.
var otherFormats = map[string]bool{".json": true, ".orc": true, ".avro": true}

// accepts refuses a file, named in full, whose extension says that it is something else.
func (f *finder) accepts(p string) error {
	ext := strings.ToLower(filepath.Ext(strings.TrimSuffix(p, ".gz")))
	if f.format == "" && otherFormats[ext] {
		return fmt.Errorf("%s: %w: %s files are not read yet; parquet, csv, tsv, jsonl and arrow files are%s", p, ErrFormat, ext, jsonHint(ext))
	}
	return nil
}

func jsonHint(ext string) string {
	if ext == ".json" {
		return " (format: jsonl reads a file that has one object a line)"
	}
	return ""
}

// isTable says whether a file found in a directory belongs to the table.
func (f *finder) isTable(name string) bool {
	if hidden(name) {
		return false
	}
	return f.format != "" || formatOf(name) != ""
}

func hidden(name string) bool { return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") }

// dir adds the files of a directory and of those below. above holds the directories on the way.
func (f *finder) dir(p string, above []fs.FileInfo) error {
	entries, err := f.list(p, len(above))
	if err != nil {
		return err
	}
	for _, e := range entries {
		full := filepath.Join(p, e.Name())
		st, err := f.info(full, e)
		if err != nil {
			return err
		}
		switch {
		case !st.IsDir() && f.isTable(e.Name()):
			err = f.add(full, st, false)
		case st.IsDir() && !hidden(e.Name()) && !seen(above, st):
			err = f.dir(full, append(above, st))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func seen(above []fs.FileInfo, st fs.FileInfo) bool {
	return slices.ContainsFunc(above, func(a fs.FileInfo) bool { return sameFile(a, st) })
}

func (f *finder) list(p string, depth int) ([]fs.DirEntry, error) {
	if err := f.ctx.Err(); err != nil {
		return nil, err
	}
	if depth > maxDirDepth {
		return nil, fmt.Errorf("%s: directories nest more than %d deep", p, maxDirDepth)
	}
	return f.fsys.ReadDir(p)
}

// info follows symbolic links, and does without a call where there is none.
func (f *finder) info(full string, e fs.DirEntry) (fs.FileInfo, error) {
	if e.Type()&fs.ModeSymlink != 0 || e.IsDir() {
		return f.fsys.Stat(full)
	}
	return e.Info()
}

func hasMeta(p string) bool { return strings.ContainsAny(p, `*?[`) }

// glob adds what matches a pattern; a directory that matches is read whole.
func (f *finder) glob(pattern string) error {
	pattern = filepath.Clean(pattern)
	parts := strings.Split(pattern, string(filepath.Separator))
	i := 0
	for i < len(parts) && !hasMeta(parts[i]) {
		i++
	}
	root := strings.Join(parts[:i], string(filepath.Separator))
	switch {
	case root == "" && filepath.IsAbs(pattern):
		root = string(filepath.Separator)
	case root == "":
		root = "."
	}
	for _, p := range parts[i:] {
		if _, err := filepath.Match(p, ""); err != nil {
			return fmt.Errorf("%s: %w: the pattern is not well formed", pattern, ErrNoFiles)
		}
	}
	st, err := f.fsys.Stat(root)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w: the folder %s does not exist", pattern, ErrNoFiles, root)
	}
	if err != nil {
		return err
	}
	if !st.IsDir() {
		return nil
	}
	return f.match(root, parts[i:], []fs.FileInfo{st})
}

// match adds what lies below dir and matches the parts of a pattern. ** is any number of directories.
func (f *finder) match(dir string, parts []string, above []fs.FileInfo) error {
	if parts[0] == "**" && len(parts) > 1 {
		if err := f.match(dir, parts[1:], above); err != nil {
			return err
		}
	}
	entries, err := f.list(dir, len(above))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if hidden(e.Name()) && !strings.HasPrefix(parts[0], e.Name()[:1]) {
			continue
		}
		if err := f.matchEntry(filepath.Join(dir, e.Name()), e, parts, above); err != nil {
			return err
		}
	}
	return nil
}

func (f *finder) matchEntry(full string, e fs.DirEntry, parts []string, above []fs.FileInfo) error {
	deep := parts[0] == "**"
	if ok, _ := filepath.Match(parts[0], e.Name()); !ok && !deep {
		return nil
	}
	st, err := f.info(full, e)
	if err != nil {
		return err
	}
	last := len(parts) == 1
	switch {
	case !st.IsDir() && last && deep:
		if f.isTable(e.Name()) {
			return f.add(full, st, false)
		}
	case !st.IsDir() && last:
		if err := f.accepts(full); err != nil {
			return err
		}
		return f.add(full, st, true)
	case st.IsDir() && seen(above, st):
	case st.IsDir() && deep:
		return f.match(full, parts, append(above, st))
	case st.IsDir() && last:
		return f.dir(full, append(above, st))
	case st.IsDir():
		return f.match(full, parts[1:], append(above, st))
	}
	return nil
}
