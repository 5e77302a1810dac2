package cli

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"pqjoin/engine"
	"pqjoin/plan"
)

func (e *env) planCommand() *cli.Command {
	return &cli.Command{
		Name: "plan", Usage: "show what a job would do and cost", ArgsUsage: "JOB",
		Flags: jobFlags(
			&cli.StringFlag{Name: "format", Value: "text", Usage: "text, json, dot or mermaid"},
			&cli.BoolFlag{Name: "exact", Usage: "count the rows of joins exactly, from their keys"},
		),
		Action: e.plan,
	}
}

func (e *env) plan(c *cli.Context) error {
	format := c.String("format")
	if c.Bool("json") {
		if c.IsSet("format") && format != "json" {
			return usagef("--json and --format %s contradict each other: leave one out", format)
		}
		format = "json"
	}
	switch format {
	case "text", "json", "dot", "mermaid":
	default:
		return usagef("--format %q: it is text, json, dot or mermaid", format)
	}
	run, err := e.open(c)
	if err != nil {
		return err
	}
	if c.Bool("exact") {
		for _, n := range run.Plan().Nodes {
			if _, ok := n.Op.(*plan.Join); !ok {
				continue
			}
			if _, err := run.Count(c.Context, n); err != nil {
				return err
			}
		}
	}
	var refused *engine.RefusedError
	places := run.CheckPlaces()
	err = run.CheckFit(c.Context) // which finds out more, and may plan anew
	x := run.Explain()
	switch {
	case err != nil && !errors.As(err, &refused):
		return err
	case errors.As(errors.Join(err, places), &refused):
		x.Refused = e.redact(refused.Error())
	}
	switch format {
	case "json":
		return e.json(x)
	case "dot":
		return x.Dot(e.out)
	case "mermaid":
		return x.Mermaid(e.out)
	}
	return x.Text(e.out)
}

// json prints v to stdout, indented.
func (e *env) json(v any) error {
	e.answered = true
	enc := json.NewEncoder(e.out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

func (e *env) validateCommand() *cli.Command {
	return &cli.Command{
		Name: "validate", Usage: "parse a job and check it against the inputs' schemas", ArgsUsage: "JOB",
		Flags: jobFlags(), Action: e.validate,
	}
}

// validation is what validate prints of a job that is right.
type validation struct {
	Valid    bool               `json:"valid"`
	Tables   []engine.TableInfo `json:"tables"`
	Warnings []string           `json:"warnings,omitempty"`
}

func (e *env) validate(c *cli.Context) error {
	job, err := e.readJob(c)
	if err != nil {
		return err
	}
	cfg, err := e.config(c, job)
	if err != nil {
		return err
	}
	run, err := e.openJob(c, job, cfg)
	if err != nil {
		return err
	}
	x := run.Explain()
	if c.Bool("json") {
		return e.json(validation{true, x.Tables, x.Warnings})
	}
	for _, w := range x.Warnings {
		e.warn(w)
	}
	fmt.Fprintf(e.out, "%s is valid: %s, %s, %s\n", c.Args().First(),
		plural(len(job.Inputs), "input"), plural(len(job.Tables), "table"), plural(len(job.Outputs), "output"))
	return nil
}
