package plan

import (
	"path/filepath"
	"strings"

	"pqjoin/expr"
)

// What those need who translate a plan into another language.

// ErrorAt returns an error at a place of the job file, marked as ErrUnsupported.
func (j *Job) ErrorAt(at Pos, hint, msg string) *Error {
	e := j.errorAt(at, hint, "%s", msg)
	e.Err = ErrUnsupported
	return e
}

// CallAt returns where the first call of a function stands, at or behind from; from where there is none.
func (j *Job) CallAt(function string, from Pos) Pos {
	for _, e := range j.exprs {
		offset, ok := callIn(e.tree.Root, function)
		if at := e.at(max(offset, 0)); ok && (at.Line > from.Line || at.Line == from.Line && at.Column >= from.Column) {
			return at
		}
	}
	return from
}

func callIn(n *expr.Node, function string) (int, bool) {
	if n == nil {
		return 0, false
	}
	if n.Op == expr.OpCall && n.Name == function {
		return n.Offset, true
	}
	for _, a := range n.Args {
		if at, ok := callIn(a, function); ok {
			return at, true
		}
	}
	return 0, false
}

// FileFormat returns the format of a file of the input: the one that the job names, else the one that its extension does.
func (in *Input) FileFormat(path string) string {
	if in.Format != "" {
		return in.Format
	}
	path = strings.ToLower(path)
	for _, ext := range []string{".gz", ".zst"} {
		path = strings.TrimSuffix(path, ext)
	}
	switch ext := filepath.Ext(path); ext {
	case ".csv", ".tsv", ".jsonl":
		return ext[1:]
	case ".ndjson":
		return FormatJSONL
	case ".arrow", ".arrows", ".feather", ".ipc":
		return FormatArrow
	}
	return FormatParquet
}
