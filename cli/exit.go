package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"pqjoin/engine"
	"pqjoin/hashjoin"
	"pqjoin/plan"
	"pqjoin/spillfile"
	"pqjoin/tableio"
	"pqjoin/tableio/parquet"
	"pqjoin/tableio/publish"
)

// The exit codes of the contract.
const (
	exitOK        = 0
	exitFailed    = 1 // while running: an input, the disk, a bug
	exitUsage     = 2 // the command line or the job file is wrong
	exitCheck     = 3 // a check or a validate failed
	exitRefused   = 4 // refused before writing anything
	exitLimit     = 5 // stopped at a limit while running
	exitLocked    = 6 // another run holds the output
	exitHangup    = 129
	exitInterrupt = 130
	exitTerm      = 143
)

// usageError is a wrong command line.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// afterwards is what went wrong when the outputs had been written: the code must not be one that says that they were not.
type afterwards struct{ err error }

func (a afterwards) Error() string { return "the outputs are written, but then: " + a.err.Error() }
func (a afterwards) Unwrap() error { return a.err }

// untold is an answer that could not be printed.
type untold struct{ error }

func (u untold) Unwrap() error { return u.error }

// answerWriter is stdout. Where it is full that is no limit of the job.
type answerWriter struct{ io.Writer }

func (w answerWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if err != nil {
		err = untold{err}
	}
	return n, err
}

// exitCode maps an error to the code of the contract. Sentinels decide, never texts.
func exitCode(err error) int {
	var (
		sig   signalError
		usage usageError
		late  afterwards
		dumb  untold
		job   *plan.Error
	)
	is := func(targets ...error) bool {
		for _, t := range targets {
			if errors.Is(err, t) {
				return true
			}
		}
		return false
	}
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &late), errors.As(err, &dumb), is(publish.ErrComplete):
		return exitFailed
	case errors.As(err, &sig):
		switch sig.sig {
		case syscall.SIGTERM:
			return exitTerm
		case syscall.SIGHUP:
			return exitHangup
		}
		return exitInterrupt
	case is(publish.ErrLocked):
		return exitLocked
	case errors.As(err, &usage):
		return exitUsage
	case is(parquet.ErrCorrupt, parquet.ErrUnsupported, parquet.ErrChanged, tableio.ErrMalformed, tableio.ErrUnsupported, tableio.ErrChanged, fs.ErrPermission):
		return exitFailed // though the job file names the input
	case is(engine.ErrRefused):
		return exitRefused // though it may be found where the job file names an input
	case errors.As(err, &job) && !job.Running, is(plan.ErrNoMatch, tableio.ErrNoFiles, tableio.ErrFormat):
		return exitUsage
	case is(engine.ErrCheck, hashjoin.ErrValidate):
		return exitCheck
	case is(publish.ErrExists, spillfile.ErrInMemory):
		return exitRefused
	case is(spillfile.ErrQuota, spillfile.ErrDiskFull, syscall.ENOSPC, syscall.EDQUOT, hashjoin.ErrMaxRows):
		return exitLimit
	case is(context.Canceled):
		return exitInterrupt
	}
	return exitFailed
}

// failure is what --json prints of a command that did not succeed.
type failure struct {
	Valid  *bool         `json:"valid,omitempty"` // of validate
	Error  string        `json:"error"`
	Exit   int           `json:"exit"`
	File   string        `json:"file,omitempty"` // of the job, where the error is about a place in it
	Line   int           `json:"line,omitempty"`
	Column int           `json:"column,omitempty"`
	Checks []engine.Rule `json:"checks,omitempty"`
}

func (e *env) failure(err error) failure {
	f := failure{Error: e.sentence(err), Exit: exitCode(err), Checks: e.rules()}
	var job *plan.Error
	if errors.As(err, &job) && job.Line > 0 {
		f.File, f.Line, f.Column = e.redact(job.File), job.Line, job.Column
	}
	return f
}

// answer prints a failure to stdout where --json asked for an answer and there is none yet.
func (e *env) answer(err error) {
	if e.command == "" || e.answered {
		return
	}
	f := e.failure(err)
	if e.command == "validate" {
		f.Valid = new(bool)
	}
	if jerr := e.json(f); jerr != nil {
		fmt.Fprintln(e.err, "pqjoin: "+e.sentence(jerr))
	}
}

// report prints an error as one sentence, with the line of the job file where it is about one, and returns the exit code.
func (e *env) report(err error) int {
	if err == nil {
		return exitOK
	}
	e.answer(err)
	fmt.Fprintln(e.err, "pqjoin: "+e.sentence(err))
	var job *plan.Error
	if errors.As(err, &job) {
		if d := job.Detail(); d != "" {
			fmt.Fprintln(e.err, d)
		}
	}
	return exitCode(err)
}

// sentence returns an error as one line without secrets, which may hold line ends themselves.
func (e *env) sentence(err error) string { return oneLine(e.redact(err.Error())) }

// oneLine joins what errors.Join put on lines of their own, each sentence once. Names that files give to columns may hold anything: control
// characters, which a terminal might obey, and bytes that are no UTF-8 are written as escapes.
func oneLine(text string) string {
	var parts []string
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line != "" && !slices.Contains(parts, line) {
			parts = append(parts, line)
		}
	}
	return escaped(strings.Join(parts, "; "))
}

// escaped writes what cannot be printed as escapes.
func escaped(text string) string {
	var b strings.Builder
	for len(text) > 0 {
		r, n := utf8.DecodeRuneInString(text)
		if unicode.IsPrint(r) && (r != utf8.RuneError || n > 1) {
			b.WriteString(text[:n])
		} else {
			q := strconv.Quote(text[:n])
			b.WriteString(q[1 : len(q)-1])
		}
		text = text[n:]
	}
	return b.String()
}
