package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"pqjoin/export"
	"pqjoin/internal/gen"
)

// shells are the shells that completion writes a script for.
var shells = map[string]func(*cli.App) string{"bash": bashScript, "zsh": zshScript, "fish": fishScript}

// choices are the values of the flags that take one of a few, and examples of others.
var choices = map[string][]string{
	"progress":  {"auto", "bar", "plain", "none"},
	"log-level": {"debug", "info", "warn", "error"},
	"format":    {"text", "json", "dot", "mermaid"},
	"to":        export.Targets,
	"mem":       {"auto", "50%", "1GB", "4GB"},
	"shape":     {gen.Fastparquet, gen.Pyarrow, gen.Pqjoin},
}

func (e *env) completionCommand() *cli.Command {
	return &cli.Command{
		Name: "completion", Usage: "print a script that completes commands and flags: bash, zsh or fish", ArgsUsage: "SHELL",
		Description: "bash: source <(pqjoin completion bash)\nzsh:  source <(pqjoin completion zsh)\nfish: pqjoin completion fish | source",
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return usagef("completion takes one shell: bash, zsh or fish")
			}
			script, ok := shells[c.Args().First()]
			if !ok {
				return usagef("there is no completion for %q: it is bash, zsh or fish", c.Args().First())
			}
			_, err := fmt.Fprint(e.out, script(c.App))
			return err
		},
	}
}

// word is a completed flag: its long name, what it is for, and whether a value follows.
type word struct {
	name, usage string
	takes       bool
}

func flagWords(cmd *cli.Command) []word {
	var out []word
	for _, f := range cmd.Flags {
		name := f.Names()[0]
		if name == "help" {
			continue
		}
		_, isBool := f.(*cli.BoolFlag)
		usage := ""
		if d, ok := f.(cli.DocGenerationFlag); ok {
			usage = d.GetUsage()
		}
		out = append(out, word{name, usage, !isBool})
	}
	return append(out, word{"help", "show help", false})
}

// dashed is a flag as it is written: -n, --mem.
func (w word) dashed() string {
	if len(w.name) == 1 {
		return "-" + w.name
	}
	return "--" + w.name
}

// argumentWords returns what the arguments of a command can be, where that is not files.
func argumentWords(app *cli.App, command string) []string {
	switch command {
	case "completion":
		return []string{"bash", "zsh", "fish"} // the keys of shells
	case "help":
		return commandNames(app)
	}
	return nil
}

func commandNames(app *cli.App) []string {
	var out []string
	for _, c := range app.VisibleCommands() {
		out = append(out, c.Name)
	}
	return out
}

func bashScript(app *cli.App) string {
	var b strings.Builder
	b.WriteString("# bash completion of pqjoin\n_pqjoin() {\n  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} flags=\n  COMPREPLY=()\n")
	fmt.Fprintf(&b, "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n    COMPREPLY=($(compgen -W %s -- \"$cur\"))\n    return\n  fi\n", quoteShell(strings.Join(commandNames(app), " ")))
	b.WriteString("  case $prev in\n")
	for _, flag := range slices.Sorted(maps.Keys(choices)) {
		fmt.Fprintf(&b, "    --%s) COMPREPLY=($(compgen -W %s -- \"$cur\")); return ;;\n", flag, quoteShell(strings.Join(choices[flag], " ")))
	}
	b.WriteString("  esac\n  case ${COMP_WORDS[1]} in\n")
	for _, c := range app.VisibleCommands() {
		var flags []string
		for _, f := range flagWords(c) {
			flags = append(flags, f.dashed())
		}
		fmt.Fprintf(&b, "    %s) flags=%s ;;\n", c.Name, quoteShell(strings.Join(flags, " ")))
	}
	b.WriteString("  esac\n  case $cur in\n    -*) COMPREPLY=($(compgen -W \"$flags\" -- \"$cur\")); return ;;\n  esac\n  case ${COMP_WORDS[1]} in\n")
	for _, c := range app.VisibleCommands() {
		if words := argumentWords(app, c.Name); words != nil {
			fmt.Fprintf(&b, "    %s) COMPREPLY=($(compgen -W %s -- \"$cur\")) ;;\n", c.Name, quoteShell(strings.Join(words, " ")))
		}
	}
	b.WriteString("    *) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n  esac\n}\ncomplete -o filenames -F _pqjoin pqjoin\n")
	return b.String()
}

func zshScript(app *cli.App) string {
	var b strings.Builder
	b.WriteString("#compdef pqjoin\n# zsh completion of pqjoin\n_pqjoin() {\n  local -a commands\n  commands=(\n")
	for _, c := range app.VisibleCommands() {
		fmt.Fprintf(&b, "    %s\n", quoteShell(c.Name+":"+c.Usage))
	}
	b.WriteString("  )\n  if (( CURRENT == 2 )); then\n    _describe command commands\n    return\n  fi\n  case ${words[2]} in\n")
	clean := strings.NewReplacer("[", "(", "]", ")", ":", " ")
	for _, c := range app.VisibleCommands() {
		fmt.Fprintf(&b, "    %s)\n      _arguments", c.Name)
		for _, f := range flagWords(c) {
			spec := f.dashed() + "[" + clean.Replace(f.usage) + "]"
			if values := choices[f.name]; values != nil && f.takes {
				spec += ":value:(" + strings.Join(values, " ") + ")"
			} else if f.takes {
				spec += ":value:_files"
			}
			b.WriteString(" \\\n        " + quoteShell(spec))
		}
		rest := "*:file:_files"
		if words := argumentWords(app, c.Name); words != nil {
			rest = "*:" + c.Name + ":(" + strings.Join(words, " ") + ")"
		}
		fmt.Fprintf(&b, " \\\n        %s ;;\n", quoteShell(rest))
	}
	b.WriteString("  esac\n}\ncompdef _pqjoin pqjoin\n")
	return b.String()
}

func fishScript(app *cli.App) string {
	var b strings.Builder
	b.WriteString("# fish completion of pqjoin\n")
	for _, c := range app.VisibleCommands() {
		fmt.Fprintf(&b, "complete -c pqjoin -n __fish_use_subcommand -f -a %s -d %s\n", c.Name, quoteShell(c.Usage))
		if words := argumentWords(app, c.Name); words != nil {
			fmt.Fprintf(&b, "complete -c pqjoin -n %s -f -a %s\n", quoteShell("__fish_seen_subcommand_from "+c.Name), quoteShell(strings.Join(words, " ")))
		}
		for _, f := range flagWords(c) {
			fmt.Fprintf(&b, "complete -c pqjoin -n %s -%s %s -d %s", quoteShell("__fish_seen_subcommand_from "+c.Name), fishKind(f.name), f.name, quoteShell(f.usage))
			if values := choices[f.name]; values != nil && f.takes {
				fmt.Fprintf(&b, " -x -a %s", quoteShell(strings.Join(values, " ")))
			} else if f.takes {
				b.WriteString(" -r")
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// fishKind is fish's word for a flag of one letter, and for a longer one.
func fishKind(flag string) string {
	if len(flag) == 1 {
		return "s"
	}
	return "l"
}

// quoteShell quotes s in single quotes, which all three shells read alike here.
func quoteShell(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
