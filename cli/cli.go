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
	"syscall"

	"github.com/urfave/cli/v2"

	"pqjoin/engine"
	"pqjoin/internal/vfs"
	"pqjoin/tableio/publish"
)

// Version is the program's version, as created_by and pqjoin version print it.
const Version = "0.1.0"

// env is what a command works with.
type env struct {
	name     string // of the program, as it was called
	in       io.Reader
	out, err io.Writer
	fs       vfs.FS
	redact   func(string) string  // replaces secrets of the job in what stderr says
	rules    func() []engine.Rule // what became of the rules of the job that is run
	command  string               // that --json asks for an answer; else empty
	answered bool                 // stdout has that answer
}

// Main runs the program with the arguments (args[0] is its name) and returns the exit code.
func Main(args []string, in io.Reader, out, errOut io.Writer) int {
	ctx, stop := withSignals(context.Background())
	defer stop()
	e := &env{
		name: args[0], in: in, out: answerWriter{out}, err: errOut, fs: vfs.OS(),
		redact: func(s string) string { return s }, rules: func() []engine.Rule { return nil },
	}
	app := e.app()
	args, err := reorder(app, args)
	if err != nil {
		return e.report(err)
	}
	return e.report(cause(ctx, app.RunContext(ctx, args)))
}

// cause returns the signal that ended a command, where it is why err is not nil.
func cause(ctx context.Context, err error) error {
	if late := (afterwards{}); errors.As(err, &late) || errors.Is(err, publish.ErrComplete) {
		return err
	}
	if sig := (signalError{}); err != nil && errors.As(context.Cause(ctx), &sig) {
		return sig
	}
	return err
}

func (e *env) app() *cli.App {
	wrong := func(_ *cli.Context, err error, _ bool) error { return usageError{plainFlag(err)} }
	app := &cli.App{
		Name: "pqjoin", Usage: "sort, lag, join and group Parquet, CSV, JSON lines and Arrow files of any size inside a memory bound that holds",
		Version: Version, HideVersion: true, Writer: e.out, ErrWriter: e.err,
		Commands: []*cli.Command{
			e.runCommand(), e.planCommand(), e.validateCommand(), e.inspectCommand(), e.showCommand(), e.initCommand(),
			e.demoCommand(), e.exportCommand(), e.schemaCommand(), e.cleanCommand(), e.completionCommand(), e.versionCommand(),
		},
		OnUsageError: wrong,
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return noCommand(c.App, c.Args().First())
			}
			return cli.ShowAppHelp(c)
		},
		ExitErrHandler: func(*cli.Context, error) {}, // report does it
	}
	for _, c := range app.Commands {
		c.OnUsageError, c.HideHelpCommand = wrong, true
		c.Before = func(c *cli.Context) error {
			if c.Bool("json") || c.String("format") == "json" {
				e.command = c.Command.Name
			}
			return nil
		}
	}
	return app
}

// signalError is the cause of a context that a signal cancelled.
type signalError struct{ sig syscall.Signal }

func (s signalError) Error() string {
	switch s.sig {
	case syscall.SIGTERM:
		return "terminated; nothing was changed"
	case syscall.SIGHUP:
		return "the terminal was closed; nothing was changed"
	}
	return "interrupted; nothing was changed"
}

// withSignals returns a context that SIGINT, SIGTERM and SIGHUP cancel; a second signal kills as usual. A SIGHUP that is ignored from
// the start, as under nohup, stays ignored.
func withSignals(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, syscall.SIGINT, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(ch, syscall.SIGHUP)
	}
	go func() {
		if s, ok := (<-ch).(syscall.Signal); ok {
			signal.Stop(ch)
			cancel(signalError{s})
		}
	}()
	return ctx, func() { signal.Stop(ch); cancel(nil) }
}

// logger returns the log at the level of --log-level, on stderr.
func (e *env) logger(level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, usagef("--log-level %q: it is debug, info, warn or error", level)
	}
	clean := func(_ []string, a slog.Attr) slog.Attr {
		switch a.Value.Kind() {
		case slog.KindString, slog.KindAny:
			if _, isLevel := a.Value.Any().(slog.Level); !isLevel {
				a.Value = slog.StringValue(e.redact(a.Value.String()))
			}
		}
		return a
	}
	return slog.New(slog.NewTextHandler(e.err, &slog.HandlerOptions{Level: l, ReplaceAttr: clean})), nil
}

// warn prints a warning to stderr.
func (e *env) warn(text string) { fmt.Fprintln(e.err, "warning: "+e.redact(text)) }
