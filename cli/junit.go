package cli

import (
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"pqjoin/plan"
)

// junitMagic is how the reports begin that pqjoin has written: nothing else is replaced by one, unless its name ends in .xml.
const junitMagic = xml.Header + "<testsuites>\n  <testsuite name=\"pqjoin\""

// errNotEnded is what a JUnit report says until the run has ended: that of an earlier run must not stand for one that was killed.
var errNotEnded = errors.New("the run has not ended: it was killed, or is still at work")

// checkJUnit refuses a --junit that is no file of its own, before anything is read or written.
func (e *env) checkJUnit(c *cli.Context) error {
	name := c.String("junit")
	switch {
	case name == "":
		return nil
	case strings.HasPrefix(name, "-"):
		return usagef("--junit %s: name a file, as in --junit report.xml", name)
	case c.NArg() > 0 && filepath.Clean(name) == filepath.Clean(c.Args().First()):
		return usagef("--junit %s is the job file: choose another name", name)
	}
	magic := junitMagic
	if strings.EqualFold(filepath.Ext(name), ".xml") {
		magic = "" // another tool's report, most likely
	}
	if err := e.mayReplace(name, magic); err != nil {
		return usageError{fmt.Errorf("--junit: %w", err)}
	}
	return nil
}

// beginJUnit replaces the report of an earlier run, unless the job reads or writes something there.
func (e *env) beginJUnit(c *cli.Context, job *plan.Job) error {
	name := c.String("junit")
	if name == "" {
		return nil
	}
	if err := e.checkJUnit(c); err != nil {
		return err
	}
	path, err := filepath.Abs(name)
	if err == nil {
		err = apart(name, path, job)
	}
	if dir, lerr := filepath.EvalSymlinks(filepath.Dir(path)); err == nil && lerr == nil {
		err = apart(name, filepath.Join(dir, filepath.Base(path)), job)
	}
	if err == nil {
		err = writeWhole(name, e.junit(nil, 0, errNotEnded))
	}
	if err != nil {
		return usageError{fmt.Errorf("--junit: %w", err)}
	}
	return nil
}

// apart refuses a report at an absolute path where the job's inputs or outputs lie.
func apart(name, path string, job *plan.Job) error {
	for _, o := range job.Outputs {
		if o.Meets(path) {
			return fmt.Errorf("%s lies where the output %q goes: choose another name", name, o.Label)
		}
	}
	self := &plan.Output{Path: path, SingleFile: true}
	for _, in := range job.Inputs {
		for _, p := range in.Paths {
			if p == path || strings.ContainsAny(p, "*?[") && self.Meets(p) {
				return fmt.Errorf("%s is among the files of the input %q: choose another name", name, in.Name)
			}
		}
	}
	return nil
}

// endJUnit writes the report of a run that ended with err, which it returns.
func (e *env) endJUnit(c *cli.Context, elapsed time.Duration, err error) error {
	name := c.String("junit")
	if name == "" {
		return err
	}
	if jerr := writeWhole(name, e.junit(e.rules(), elapsed, cause(c.Context, err))); jerr != nil {
		err = errors.Join(err, fmt.Errorf("write the JUnit report: %w", jerr))
	}
	return err
}

// writeWhole writes a file whole or not at all: whoever reads it sees the old one or the new one.
func writeWhole(name string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}
