package plan

import "pqjoin/expr"

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

// Found is what lies at the paths of an input, which its plan does not say.
type Found struct {
	Files  []string // in the order in which they are read
	Format string   // of all of them
	Dirs   []string // the columns that the names of their directories give
}
