package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"pqjoin/engine"
	"pqjoin/export"
)

func (e *env) exportCommand() *cli.Command {
	return &cli.Command{
		Name: "export", Usage: "print the job as SQL for DuckDB that gives the same answer", ArgsUsage: "JOB",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "to", Usage: "the language: duckdb"},
			&cli.StringSliceFlag{Name: "set", Usage: "set a variable of the job: `name=value`"},
			&cli.StringFlag{Name: "log-level", Value: "warn", Usage: "debug, info, warn or error"},
		},
		Action: e.export,
	}
}

func (e *env) export(c *cli.Context) error {
	to := c.String("to")
	switch {
	case to == "":
		return usagef("export needs --to, as in: pqjoin export job.yaml --to duckdb")
	case slices.Contains(export.LaterTargets, to):
		return usagef("--to %s is not supported yet: it is %s", to, strings.Join(export.Targets, " or "))
	case !slices.Contains(export.Targets, to):
		return usagef("--to %q: it is %s", to, strings.Join(export.Targets, " or "))
	}
	job, err := e.readJob(c)
	if err != nil {
		return err
	}
	log, err := e.logger(c.String("log-level"))
	if err != nil {
		return err
	}
	p, found, err := engine.Logical(c.Context, job, engine.Config{FS: e.fs, Version: Version, Log: log, Warn: e.warn})
	if errors.Is(err, fs.ErrNotExist) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	sql, err := export.DuckDB(p, found)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(e.out, sql)
	return err
}
