package gen

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"pqjoin/internal/vfs"
	"pqjoin/tableio/publish"
)

// MarkerName is the file in a table's directory that says what it holds. Readers of
// tables pass over hidden files.
const MarkerName = ".gen.json"

// ErrOther says that a directory holds something else.
var ErrOther = errors.New("the directory is not empty and holds something else")

// marker is what the file says.
type marker struct {
	Version int    `json:"version"`
	Params  Params `json:"params"` // with defaults filled in
}

// Make makes the table in out whole or not at all. Where out holds the same table
// already it does nothing and returns true; where it holds anything else the error wraps ErrOther.
func Make(ctx context.Context, fsys vfs.FS, out string, s Spec) (there bool, err error) {
	if _, err := s.Params.resolve(); err != nil {
		return false, fmt.Errorf("gen: %w", err)
	}
	want, err := json.Marshal(marker{Version, s.Params})
	if err != nil {
		return false, err
	}
	set, err := publish.Begin(fsys, []publish.Target{{Path: out, Replace: true}})
	if err != nil {
		return false, err
	}
	defer set.Abort()
	if there, err := holds(fsys, out, want); there || err != nil {
		return there, err
	}
	if err := Write(ctx, fsys, set.Temp(0), s); err != nil {
		return false, err
	}
	f, err := fsys.Create(filepath.Join(set.Temp(0), MarkerName))
	if err != nil {
		return false, err
	}
	_, err = f.Write(want)
	if err := errors.Join(err, f.Close()); err != nil {
		return false, err
	}
	return false, set.Commit(ctx)
}

// holds says whether the directory holds what want says. It is false where it is empty or missing.
func holds(fsys vfs.FS, dir string, want []byte) (bool, error) {
	entries, err := fsys.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	name := filepath.Join(dir, MarkerName)
	f, err := fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("%s: %w", dir, ErrOther)
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	have, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<16))
	if err != nil {
		return false, err
	}
	if !bytes.Equal(have, want) {
		return false, fmt.Errorf("%s: %w: %s", dir, ErrOther, have)
	}
	return true, nil
}
