package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"pqjoin/internal/vfs"
	"pqjoin/plan"
	"pqjoin/tableio"
	"pqjoin/tableio/publish"
)

// CheckPlaces refuses, as a *RefusedError with its place in the job, outputs that cannot be written to their paths: what lies there may
// not be replaced, or this process may not write to the folder.
func (r *Run) CheckPlaces() error {
	for i, t := range r.targets("") {
		o := r.plan.Outputs[i]
		if err := publish.Check(r.cfg.FS, t); err != nil {
			return r.job.Failed(o.Pos, &RefusedError{Reason: err.Error()})
		}
		if err := r.checkReplaced(o); err != nil {
			return r.job.Failed(o.Pos, err)
		}
		dir := r.existing(filepath.Dir(o.Path))
		if err := vfs.Writable(dir); err != nil {
			return r.job.Failed(o.Pos, &RefusedError{
				Reason: fmt.Sprintf("cannot write to the folder %s of output %s: %s", dir, o.Label, reason(err)),
				Advice: "write somewhere else, or have its owner allow it",
			})
		}
	}
	return nil
}

// reason returns what the system says, without the path.
func reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

// checkReplaced refuses to replace a directory that holds what no table holds: a file of another kind, or a
// folder that is no hive directory of files of tables. if_exists: replace would delete it.
func (r *Run) checkReplaced(o *plan.Output) error {
	if !o.Replace || o.SingleFile {
		return nil
	}
	if name := r.foreign(o.Path, 0); name != "" {
		return &RefusedError{
			Reason: fmt.Sprintf("output %s would replace %s, which holds %q, not a part of a table", o.Label, o.Show, name),
			Advice: "move that away, or write to another directory",
		}
	}
	return nil
}

// foreign returns what a directory, or a hive directory below it, holds that no table does; empty for nothing. What cannot
// be read is left to publishing, but for what lies below, which must be seen to be replaced.
func (r *Run) foreign(dir string, depth int) string {
	entries, err := r.cfg.FS.ReadDir(dir)
	if err != nil && depth == 0 {
		return ""
	}
	if err != nil || depth > maxHiveDepth {
		return "."
	}
	for _, e := range entries {
		name := e.Name()
		switch {
		case e.IsDir() && strings.Index(name, "=") > 0 && name[0] != '.':
			if below := r.foreign(filepath.Join(dir, name), depth+1); below != "" {
				return filepath.Join(name, below)
			}
		case e.IsDir() || !tableio.IsTable(name) && name[0] != '_' && name[0] != '.':
			return name
		}
	}
	return ""
}

// maxHiveDepth is how many hive directories may lie in each other in what is replaced.
const maxHiveDepth = 64

// spillParent is where the spill directory is made: where the user said, else beside the
// first output, in the nearest folder that exists.
func (r *Run) spillParent() string {
	if r.cfg.SpillDir != "" {
		return r.cfg.SpillDir
	}
	if len(r.plan.Outputs) == 0 {
		return "." // not the temporary folder, which often lies in memory
	}
	return r.existing(filepath.Dir(r.plan.Outputs[0].Path))
}

// existing returns dir, or the nearest folder above it that exists.
func (r *Run) existing(dir string) string {
	for {
		if _, err := r.cfg.FS.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}
