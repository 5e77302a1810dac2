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

	"pqjoin/engine"
)

// reportChecks writes what became of the job's checks where --json and --junit want it, and returns err, which is how the run ended.
func (e *env) reportChecks(c *cli.Context, run *engine.Run, elapsed time.Duration, err error) error {
	rules := run.Rules()
	if name := c.String("junit"); name != "" {
		if jerr := writeWhole(name, e.junit(rules, elapsed, err)); jerr != nil {
			err = errors.Join(err, fmt.Errorf("write the JUnit report: %w", jerr))
		}
	}
	if err != nil && c.Bool("json") {
		f := e.failure(err)
		f.Checks = rules
		return errors.Join(err, e.json(f))
	}
	return err
}

// errNotEnded is what a JUnit report says until the run has ended: that of an earlier run must not stand for one that never got so far.
var errNotEnded = errors.New("the run has not ended: what it printed says why")

// beginJUnit replaces the report of an earlier run.
func (e *env) beginJUnit(c *cli.Context) error {
	name := c.String("junit")
	if name == "" {
		return nil
	}
	if err := writeWhole(name, e.junit(nil, 0, errNotEnded)); err != nil {
		return usageError{fmt.Errorf("write the JUnit report: %w", err)}
	}
	return nil
}

// The elements of a JUnit report, as CI servers read it (the schema of Ant's junit task).
type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Time     string      `xml:"time,attr"` // seconds
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"` // the table
		Line    int           `xml:"line,attr,omitempty"`
		Failure *junitMessage `xml:"failure"`
		Error   *junitMessage `xml:"error"`
		Skipped *junitMessage `xml:"skipped"`
		Out     string        `xml:"system-out,omitempty"` // of a rule that failed as a warning
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// junit returns the report: one test for each rule of the job, and one for the run itself.
func (e *env) junit(rules []engine.Rule, elapsed time.Duration, err error) []byte {
	s := junitSuite{Name: "pqjoin", Time: fmt.Sprintf("%.3f", elapsed.Seconds())}
	for _, r := range rules {
		c := junitCase{Name: r.Rule, Class: r.Table, Line: r.Line}
		message := fmt.Sprintf("%s: %d rows", r.Rule, r.Rows)
		samples := strings.Join(r.Samples, "\n")
		switch r.State {
		case engine.RuleFailed:
			s.Failures++
			c.Failure = &junitMessage{message, samples}
		case engine.RuleWarned:
			c.Out = message + " (a warning)\n" + samples
		case engine.RuleNotReached:
			s.Skipped++
			c.Skipped = &junitMessage{Message: "the run ended before"}
		}
		s.Cases = append(s.Cases, c)
	}
	whole := junitCase{Name: "run", Class: "job"}
	switch {
	case err == nil:
	case exitCode(err) == exitCheck:
		s.Skipped++
		whole.Skipped = &junitMessage{Message: "the run stopped at the failed rule"}
	default:
		s.Errors++
		whole.Error = &junitMessage{Message: e.sentence(err)}
	}
	s.Cases = append(s.Cases, whole)
	s.Tests = len(s.Cases)
	text, merr := xml.MarshalIndent(junitSuites{Suites: []junitSuite{s}}, "", "  ")
	if merr != nil {
		panic(merr) // strings and numbers alone
	}
	return append([]byte(xml.Header), append(text, '\n')...)
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
