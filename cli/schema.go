package cli

import (
	"github.com/urfave/cli/v2"

	"pqjoin/plan"
)

func (e *env) schemaCommand() *cli.Command {
	return &cli.Command{
		Name: "schema", Usage: "print the JSON Schema of job files, by which editors complete and check them",
		Description: "pqjoin schema >job.schema.json, and above a job: # yaml-language-server: $schema=job.schema.json",
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return usagef("schema takes no arguments")
			}
			_, err := e.out.Write(plan.JSONSchema())
			return err
		},
	}
}
