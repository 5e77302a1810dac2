// Package cli is the command line: one file a command. It parses flags, calls the
// engine, prints, and turns errors into exit codes, in one place (exit.go). Results and
// machine-readable output go to stdout, progress and logs to stderr.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"pqjoin/internal/vfs"
)

// Version is the program's version, as created_by and pqjoin version print it.
const Version = "0.1.0"

// env is what a command works with.
type env struct {
	in       io.Reader
	out, err io.Writer
	fs       vfs.FS
}

// Main runs the program with the arguments (args[0] is its name) and returns the exit code.
func Main(args []string, in io.Reader, out, errOut io.Writer) int {
	ctx, stop := withSignals(context.Background())
	defer stop()
	e := &env{in: in, out: out, err: errOut, fs: vfs.OS()}
	app := e.app()
	err := app.RunContext(ctx, reorder(app, args))
	if sig := (signalError{}); errors.As(context.Cause(ctx), &sig) && err != nil {
		err = sig
	}
	return e.report(err)
}

func (e *env) app() *cli.App {
	return &cli.App{
		Name: "pqjoin", Usage: "sort, lag, merge and group Parquet data of any size inside a memory bound that holds",
		Version: Version, HideVersion: true, Writer: e.out, ErrWriter: e.err, HideHelpCommand: true,
		Commands: []*cli.Command{
			e.runCommand(), e.planCommand(), e.validateCommand(), e.inspectCommand(), e.showCommand(),
			e.demoCommand(), e.cleanCommand(), e.versionCommand(),
		},
		OnUsageError:    func(_ *cli.Context, err error, _ bool) error { return usageError{err} },
		CommandNotFound: nil,
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return usagef("%q is not a command: the commands are run, plan, validate, inspect, show, demo, clean and version", c.Args().First())
			}
			return cli.ShowAppHelp(c)
		},
		ExitErrHandler: func(*cli.Context, error) {}, // report does it
	}
}

// signalError is the cause of a context that a signal cancelled.
type signalError struct{ sig syscall.Signal }

func (s signalError) Error() string {
	if s.sig == syscall.SIGTERM {
		return "terminated; nothing was changed"
	}
	return "interrupted; nothing was changed"
}

// withSignals returns a context that SIGINT and SIGTERM cancel; a second signal kills as usual.
func withSignals(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		if s, ok := (<-ch).(syscall.Signal); ok {
			signal.Stop(ch)
			cancel(signalError{s})
		}
	}()
	return ctx, func() { signal.Stop(ch); cancel(nil) }
}

// reorder moves flags before the other arguments of a command, which the flag package
// expects: pqjoin run job.yaml --mem 4GB.
func reorder(app *cli.App, args []string) []string {
	if len(args) < 2 {
		return args
	}
	cmd := app.Command(args[1])
	if cmd == nil {
		return args
	}
	takesValue := map[string]bool{}
	for _, f := range cmd.Flags {
		_, isBool := f.(*cli.BoolFlag)
		for _, n := range f.Names() {
			takesValue[n] = !isBool
		}
	}
	flags, rest := []string{}, []string{}
	for i := 2; i < len(args); i++ {
		a := args[i]
		if a == "--" {
			rest = append(rest, args[i+1:]...)
			break
		}
		if len(a) < 2 || a[0] != '-' {
			rest = append(rest, a)
			continue
		}
		flags = append(flags, a)
		name, _, hasValue := strings.Cut(strings.TrimLeft(a, "-"), "=")
		if takesValue[name] && !hasValue && i+1 < len(args) {
			i++
			flags = append(flags, args[i])
		}
	}
	out := append([]string{args[0], args[1]}, flags...)
	return append(append(out, "--"), rest...)
}

// logger returns the log at the level of --log-level, on stderr.
func (e *env) logger(level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, usagef("--log-level %q: it is debug, info, warn or error", level)
	}
	return slog.New(slog.NewTextHandler(e.err, &slog.HandlerOptions{Level: l})), nil
}

// warn prints a warning to stderr.
func (e *env) warn(text string) { fmt.Fprintln(e.err, "warning: "+text) }
