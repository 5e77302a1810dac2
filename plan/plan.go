// Package plan turns a job file into a plan: it parses the YAML, keeping the place of
// everything (Parse), resolves names, types and orders against the inputs' schemas
// (Resolve), and rewrites the result into one that does less work (Rewrite).
//
//	job.yaml --Parse--> Job --Resolve--> Plan --Rewrite--> Plan
//
// Invariants:
//
//   - Whatever is wrong with a job is one *Error with file, line and column, found
//     before any row is read; nothing in here panics on any input.
//   - Values of ${env:NAME} are in Text.Value and in bound expressions only; whatever
//     is printed uses Text.Show or Job.Redact.
//   - A plan does not depend on map order, the machine, or the budget: the same job
//     over the same schemas gives the same plan.
//   - plan knows what operators mean, not how they work.
package plan

import (
	"errors"
)

// ErrNoMatch marks an input path that matches no file.
var ErrNoMatch = errors.New("no file matches")

// Parse reads a job file. file is its name for messages, and its folder is where
// relative paths start. The error is an *Error.
func Parse(file string, data []byte, opts Options) (*Job, error) {
	return parseJob(file, data, opts)
}

// Resolve makes the plan of a job: names, types and orders decided, nothing rewritten yet. The
// error is an *Error, or wraps what the source said.
func Resolve(job *Job, schemas SchemaSource) (*Plan, error) {
	return resolveJob(job, schemas)
}

// Rewrite returns p as a plan with the same outputs and less work: filters and columns
// pushed into scans, common tables made once, sorts dropped that change nothing. It changes p's nodes.
func Rewrite(p *Plan) (*Plan, error) {
	return rewritePlan(p)
}
