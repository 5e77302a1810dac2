package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"pqjoin/plan"
)

// maxLinks is how many symbolic links a path may go through, as in the kernel.
const maxLinks = 40

// Why a path that goes through symbolic links names no place that could be written to.
var (
	errLinkLoop = errors.New("its symbolic links form a loop")
	errDangling = errors.New("its symbolic link leads to a folder that does not exist")
)

// followLinks gives every output the path that its symbolic links lead to. So what lies beside an output while it is written lies beside
// what is replaced, and a link stays one. It refuses links that lead nowhere, and outputs that meet by way of links.
func (r *Run) followLinks() error {
	home := resolved(r.job.Dir)
	for i, o := range r.plan.Outputs {
		path, err := follow(o.Path)
		if err != nil {
			return r.refuseOutput(o, "correct or remove the link", "the output %q cannot be written to %s: %v", o.Label, o.Show, err)
		}
		if path != o.Path && strings.Contains(o.Show, "${env:") {
			r.job.Hide(path, r.path(o))
		}
		o.Path = path
		if o.Path == filepath.Dir(o.Path) || plan.Within(home, o.Path) {
			return r.refuseOutput(o, "write to a folder of its own", "the output %q would replace the job file's own folder", o.Label)
		}
		for _, other := range r.plan.Outputs[:i] {
			if plan.Overlap(o.Path, other.Path) {
				return r.refuseOutput(o, "give each output a place of its own", "the outputs %q and %q both write to %s, through symbolic links", other.Label, o.Label, path)
			}
		}
	}
	return nil
}

func (r *Run) refuseOutput(o *plan.Output, hint, format string, args ...any) error {
	return &plan.Error{
		File: r.job.File, Line: o.Pos.Line, Column: o.Pos.Column, Text: r.job.Line(o.Pos.Line), Msg: fmt.Sprintf(format, args...), Hint: hint,
	}
}

// follow returns where an absolute clean path leads when every symbolic link on the way is followed, those to nothing as well. What
// does not exist keeps its name. The error is errLinkLoop, or errDangling where a link's target has no folder to be made in.
func follow(path string) (string, error) {
	at, rest := "/", elements(path)
	linked := 0 // how many of rest are of a link's target
	for links := 0; len(rest) > 0; {
		name := rest[0]
		rest, linked = rest[1:], max(0, linked-1)
		if name == ".." {
			at = filepath.Dir(at)
			continue
		}
		next := filepath.Join(at, name)
		st, err := os.Lstat(next)
		switch {
		case err != nil && linked > 0 && os.IsNotExist(err):
			return "", errDangling
		case err != nil: // to be made; or it says why not when it is
			return filepath.Join(append([]string{next}, rest...)...), nil
		case st.Mode()&os.ModeSymlink == 0:
			at = next
			continue
		}
		target, err := os.Readlink(next)
		if links++; err != nil || links > maxLinks {
			return "", errLinkLoop
		}
		if filepath.IsAbs(target) {
			at = "/"
		}
		parts := elements(target)
		rest, linked = append(parts, rest...), linked+len(parts)
	}
	return at, nil
}

// elements returns the names in a path, one by one.
func elements(path string) []string {
	return strings.FieldsFunc(path, func(c rune) bool { return c == os.PathSeparator })
}
