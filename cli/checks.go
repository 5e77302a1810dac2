package cli

import (
	"encoding/xml"
	"fmt"
	"strings"
	"time"

	"pqjoin/engine"
)

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
		if r.Rows == 1 {
			message = r.Rule + ": 1 row"
		}
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
