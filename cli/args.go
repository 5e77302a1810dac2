package cli

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// What the contract names and this version does not have yet, refused by name.
var laterFlags = []string{"ui", "report", "metrics", "engine", "remote"}

// reorder moves a command's flags before its other arguments, where the flag package expects them:
// pqjoin run job.yaml --mem 4GB. It refuses a flag that the command does not have, and one
// without its value.
func reorder(app *cli.App, args []string) ([]string, error) {
	if len(args) < 2 {
		return args, nil
	}
	switch args[1] {
	case "--version", "-v":
		args = append([]string{args[0], "version"}, args[2:]...)
	case "--help", "-h":
		return args, nil
	case "help", "h":
		return helpFor(app, args)
	}
	if strings.HasPrefix(args[1], "-") {
		return nil, usagef("flags follow the command, as in: pqjoin run job.yaml %s", args[1])
	}
	cmd := app.Command(args[1])
	if cmd == nil {
		return args, nil
	}
	out, rest := []string{args[0], args[1]}, []string{}
	for i := 2; i < len(args); i++ {
		a := args[i]
		if a == "--" {
			rest = append(rest, args[i+1:]...)
			break
		}
		if len(a) < 2 || a[0] != '-' {
			rest = append(rest, a)
			continue
		}
		if a == "--help" || a == "-h" { // of the command, whatever else there is
			return []string{args[0], args[1], "--help"}, nil
		}
		out = append(out, a)
		name, _, hasValue := strings.Cut(strings.TrimLeft(a, "-"), "=")
		takes, err := takesValue(cmd, name)
		if err != nil {
			return nil, err
		}
		if takes && !hasValue {
			if i++; i == len(args) {
				return nil, usagef("--%s needs a value; pqjoin %s --help explains it", name, cmd.Name)
			}
			out = append(out, args[i])
		}
	}
	return append(append(out, "--"), rest...), nil
}

// helpFor turns help COMMAND into COMMAND --help, and help alone into --help.
func helpFor(app *cli.App, args []string) ([]string, error) {
	names := slices.DeleteFunc(slices.Clone(args[2:]), func(a string) bool { return a == "--help" || a == "-h" || a == "help" })
	switch {
	case len(names) == 0:
		return []string{args[0], "--help"}, nil
	case len(names) > 1:
		return nil, usagef("help takes one command, as in: pqjoin help run")
	case app.Command(names[0]) == nil:
		return nil, noCommand(app, names[0])
	}
	return []string{args[0], names[0], "--help"}, nil
}

// takesValue says whether a command's flag has a value. The error names the nearest flag.
func takesValue(cmd *cli.Command, name string) (bool, error) {
	for _, f := range cmd.Flags {
		if slices.Contains(f.Names(), name) {
			_, isBool := f.(*cli.BoolFlag)
			return !isBool, nil
		}
	}
	if slices.Contains(laterFlags, name) {
		return false, usagef("--%s is not supported yet", name)
	}
	if len(name) == 1 {
		return false, usagef("%s has no flag -%s; pqjoin %s --help lists them", cmd.Name, name, cmd.Name)
	}
	if near := cli.SuggestFlag(cmd.Flags, name, true); near != "" {
		return false, usagef("%s has no flag --%s; the nearest is %s", cmd.Name, name, near)
	}
	return false, usagef("%s has no flag --%s; pqjoin %s --help lists them", cmd.Name, name, cmd.Name)
}

// noCommand says what is wrong with a first argument that is no command.
func noCommand(app *cli.App, name string) error {
	var names []string
	for _, c := range app.VisibleCommands() {
		names = append(names, c.Name)
	}
	return usagef("%q is not a command: the commands are %s", name, strings.Join(names, ", "))
}

// badValue is how the flag package says that a flag cannot have a value.
var badValue = regexp.MustCompile(`^invalid (?:boolean )?value (".*") for (?:flag )?-+([^:]+): (.*)$`)

// plainFlag says it in the words of the other messages.
func plainFlag(err error) error {
	m := badValue.FindStringSubmatch(err.Error())
	if m == nil {
		return err
	}
	dashes := "--"
	if len(m[2]) == 1 {
		dashes = "-"
	}
	if strings.HasPrefix(err.Error(), "invalid boolean") {
		return fmt.Errorf("%s%s cannot be %s: it takes no value", dashes, m[2], m[1])
	}
	return fmt.Errorf("%s%s cannot be %s: write a whole number", dashes, m[2], m[1])
}
