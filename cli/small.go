package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"

	"pqjoin/spillfile"
	"pqjoin/tableio/publish"
)

func (e *env) versionCommand() *cli.Command {
	return &cli.Command{
		Name: "version", Usage: "print the version",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print the result as JSON"}},
		Action: func(c *cli.Context) error {
			revision := "unknown"
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, s := range info.Settings {
					if s.Key == "vcs.revision" {
						revision = s.Value
					}
				}
			}
			if c.Bool("json") {
				return e.json(map[string]string{"version": Version, "revision": revision, "go": runtime.Version()})
			}
			_, err := fmt.Fprintf(e.out, "pqjoin %s (revision %s, %s)\n", Version, revision, runtime.Version())
			return err
		},
	}
}

func (e *env) cleanCommand() *cli.Command {
	return &cli.Command{
		Name: "clean", Usage: "remove what crashed runs left in a directory, and complete their outputs", ArgsUsage: "[DIR]",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print the result as JSON"}},
		Action: func(c *cli.Context) error {
			if c.NArg() > 1 {
				return usagef("clean takes one directory")
			}
			dir := firstOf(c.Args().First(), ".")
			if info, err := e.fs.Stat(dir); err != nil {
				return usageError{fmt.Errorf("clean: %w", err)}
			} else if !info.IsDir() {
				return usagef("clean %s: it is not a directory", dir)
			}
			if err := publish.Recover(e.fs, dir); err != nil {
				return err
			}
			removed, err := spillfile.Reclaim(e.fs, dir)
			if err != nil {
				return err
			}
			if c.Bool("json") {
				return e.json(map[string][]string{"removed": removed})
			}
			for _, r := range removed {
				fmt.Fprintf(e.out, "removed %s\n", r)
			}
			if len(removed) == 0 {
				fmt.Fprintln(e.out, "nothing to remove")
			}
			return nil
		},
	}
}
