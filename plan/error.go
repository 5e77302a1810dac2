package plan

import (
	"errors"
	"fmt"
	"strings"
)

// ErrUnsupported marks an error about something that is documented but not built yet.
var ErrUnsupported = errors.New("not supported yet")

// Error is what is wrong with a job file, and where.
type Error struct {
	File         string
	Line, Column int    // from 1; 0 where no place is known
	Text         string // the line itself
	Msg          string
	Hint         string // what to do, or empty
	Err          error  // the cause or a sentinel, or nil
	// Running says that the place is where something failed for what the data holds: the job itself may be right.
	Running bool
}

// Failed gives an error of a running job its place in the job file; without one it stays as it is.
func (j *Job) Failed(pos Pos, err error) error {
	if err == nil || pos == (Pos{}) {
		return err
	}
	e := j.errorAt(pos, "", "%s", err)
	e.Err, e.Running = err, true
	return e
}

// Error returns one sentence: file:line:column: message: hint.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
	}
	b.WriteString(": ")
	b.WriteString(e.Msg)
	if e.Hint != "" {
		b.WriteString(": ")
		b.WriteString(e.Hint)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// detailWidth is how many characters of a long line Detail shows.
const detailWidth = 120

// Detail returns the offending line with a caret under the column, two lines without
// a line break at the end; empty where there is no place. A long line is cut around the column.
func (e *Error) Detail() string {
	if e.Line == 0 {
		return ""
	}
	text := []rune(strings.Map(printable, e.Text))
	col := min(max(e.Column-1, 0), len(text))
	if len(text) > detailWidth {
		from := min(max(col-detailWidth/2, 0), len(text)-detailWidth)
		text, col = text[from:from+detailWidth], col-from
	}
	num := fmt.Sprintf("%5d | ", e.Line)
	pad := strings.Repeat(" ", len(num)-2) + "| " + strings.Repeat(" ", col)
	return num + string(text) + "\n" + pad + "^"
}

// printable makes tabs and control characters one plain character wide.
func printable(r rune) rune {
	switch {
	case r == '\t':
		return ' '
	case r < ' ' || r == 0x7f || r == '\uFFFD' || (r >= 0x80 && r < 0xa0):
		return '?'
	}
	return r
}
