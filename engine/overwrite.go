package engine

import (
	"os"
	"path/filepath"
	"strings"

	"pqjoin/plan"
)

// refuseOverwriting refuses outputs that are, hold or lie within an input by another name: through symbolic links, which
// followLinks has followed. What the job itself says has been looked at when it was parsed.
func (r *Run) refuseOverwriting() error {
	for _, o := range r.plan.Outputs {
		for _, in := range r.job.Inputs {
			for i, p := range in.Paths {
				if o.Meets(resolved(p)) {
					return r.overwrites(o, in, in.Show[i])
				}
			}
			t := r.tables[in]
			if _, err := os.Lstat(o.Path); err != nil || t == nil {
				continue
			}
			dirs := map[string]string{}
			for _, f := range t.Files() {
				if o.Meets(resolvedIn(dirs, f.Path)) {
					return r.overwrites(o, in, filepath.Base(f.Path))
				}
			}
		}
	}
	return nil
}

func (r *Run) overwrites(o *plan.Output, in *plan.Input, what string) error {
	return r.refuseOutput(o, "write somewhere else", "the output %q would overwrite or feed the input %q (%s) through a symbolic link", o.Label, in.Name, what)
}

// resolved returns the absolute path with the symbolic links of those of its elements replaced that there are.
func resolved(path string) string {
	rest := ""
	for at := filepath.Clean(path); ; at = filepath.Dir(at) {
		if real, err := filepath.EvalSymlinks(at); err == nil {
			return filepath.Join(real, rest)
		}
		if at == filepath.Dir(at) || !strings.HasPrefix(path, "/") {
			return path
		}
		rest = filepath.Join(filepath.Base(at), rest)
	}
}

// resolvedIn is resolved for many files of few directories, which dirs remembers. A file that is itself a link is resolved alone.
func resolvedIn(dirs map[string]string, path string) string {
	if st, err := os.Lstat(path); err == nil && st.Mode()&os.ModeSymlink != 0 {
		return resolved(path)
	}
	dir, ok := dirs[filepath.Dir(path)]
	if !ok {
		dir = resolved(filepath.Dir(path))
		dirs[filepath.Dir(path)] = dir
	}
	return filepath.Join(dir, filepath.Base(path))
}
