// Package expr is the language of SQL scalar expressions: parse, type, and compile to
// column kernels.
//
//	text --Parse--> Tree --Bind(schema)--> Bound --Compile--> Program --Eval(batch)--> columns
//
// Invariants:
//
//   - Tree, Bound and Program are immutable and safe for concurrent use.
//   - No text makes the package panic: length (64 KiB) and depth (500) are limited, and
//     parsing takes time linear in the text.
//   - Null logic is SQL's. A row whose result is null never fails, whatever its operands hold.
//   - A branch of case, coalesce, and, or is free to fail on rows that do not need it:
//     such rows are not computed where computing them fails.
//   - Results depend on the values alone, never on batch sizes, dictionaries or slices.
//
// Types follow DuckDB where it has an answer; type.go says how types combine.
package expr

import "fmt"

// Error is a mistake in the text of an expression.
type Error struct {
	Offset int    // byte in the text at which the mistake begins
	Msg    string // what is wrong, lower case, names the types or the name concerned
	Hint   string // what to do, or empty: did you mean "price"?
}

func (e *Error) Error() string {
	if e.Hint != "" {
		return e.Msg + " (" + e.Hint + ")"
	}
	return e.Msg
}

func errorAt(offset int, hint, format string, args ...any) *Error {
	return &Error{Offset: offset, Msg: fmt.Sprintf(format, args...), Hint: hint}
}

// RowError is a failure while evaluating: an overflow, a text that is not a number.
// It is the same for the same rows, whatever batches they come in.
type RowError struct {
	Expr string // the part that failed, normalised
	Msg  string // why, with the value: cannot cast "x" to int64
	Hint string // what to do, or empty: try_cast gives null there
	At   Place  // where that stands in the job file, as far as it is known
	Out  int    // the position, among those compiled together, of the expression that failed
}

func (e *RowError) Error() string {
	if e.Hint != "" {
		return e.Expr + ": " + e.Msg + " (" + e.Hint + ")"
	}
	return e.Expr + ": " + e.Msg
}
