package cli

import (
	"fmt"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"

	"github.com/urfave/cli/v2"

	"pqjoin/spillfile"
	"pqjoin/tableio/publish"
)

// build is what version prints.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision"` // the commit
	Go       string `json:"go"`       // the compiler's version
}

func (e *env) versionCommand() *cli.Command {
	return &cli.Command{
		Name: "version", Usage: "print the version",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print the result as JSON"}},
		Action: func(c *cli.Context) error {
			info, _ := debug.ReadBuildInfo()
			revision := revisionOf(info)
			if c.Bool("json") {
				return e.json(build{Version, revision, runtime.Version()})
			}
			_, err := fmt.Fprintf(e.out, "pqjoin %s (revision %s, %s)\n", Version, revision, runtime.Version())
			return err
		},
	}
}

// revisionOf returns the commit that a build was made of, with +changed where files differed from it. A build from a
// checkout knows it (-buildvcs); one of a released module knows the module's version; else it is unknown.
func revisionOf(info *debug.BuildInfo) string {
	if info == nil {
		return "unknown"
	}
	set := map[string]string{}
	for _, s := range info.Settings {
		set[s.Key] = s.Value
	}
	switch revision := set["vcs.revision"]; {
	case revision == "" && info.Main.Version != "" && info.Main.Version != "(devel)":
		return info.Main.Version
	case revision == "":
		return "unknown"
	case set["vcs.modified"] == "true":
		return revision + "+changed"
	default:
		return revision
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
			return e.clean(dir, c.Bool("json"))
		},
	}
}

// cleaned is what clean prints, as paths.
type cleaned struct {
	Completed []string `json:"completed"` // outputs that a crashed run had committed
	Removed   []string `json:"removed"`   // what crashed runs left beside outputs, and their spill directories
}

func (e *env) clean(dir string, asJSON bool) error {
	done, err := publish.Recover(e.fs, dir)
	if err != nil {
		return err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	spills, err := spillfile.Reclaim(e.fs, dir)
	if err != nil {
		return err
	}
	kept, err := spillfile.ReclaimKept(e.fs, dir)
	if err != nil {
		return err
	}
	x := cleaned{Completed: append([]string{}, done.Completed...), Removed: append([]string{}, slices.Concat(done.Removed, spills, kept)...)}
	if asJSON {
		return e.json(x)
	}
	for _, path := range x.Completed {
		fmt.Fprintf(e.out, "completed %s\n", path)
	}
	for _, path := range x.Removed {
		fmt.Fprintf(e.out, "removed %s\n", path)
	}
	if len(x.Completed)+len(x.Removed) == 0 {
		fmt.Fprintln(e.out, "nothing to remove")
	}
	return nil
}
