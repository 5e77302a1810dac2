package cli

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize"
	"github.com/urfave/cli/v2"

	"pqjoin/batch"
	"pqjoin/engine"
	"pqjoin/expr"
	"pqjoin/tableio"
)

func (e *env) initCommand() *cli.Command {
	return &cli.Command{
		Name: "init", Usage: "write a commented starter job for files or directories to stdout", ArgsUsage: "PATH...",
		Description: "Each PATH becomes an input: pqjoin init trades/ quotes/ > job.yaml",
		Action:      e.init,
	}
}

// starter is an input of a starter job.
type starter struct {
	name, path string
	table      *tableio.Table
	schema     *batch.Schema // the columns that can be computed on
	read       []string      // those that can be read
	counts     []string      // of these, durations: read as the counts of their unit
	refused    []string      // those that cannot
}

func (e *env) init(c *cli.Context) error {
	if c.NArg() == 0 {
		return usagef("init takes files or directories, each an input: pqjoin init trades/ quotes/ > job.yaml")
	}
	var ins []starter
	for _, path := range c.Args().Slice() {
		if strings.Contains(path, "${") {
			return usagef("init %s: a path with ${ in it would be read as a variable", path)
		}
		t, err := tableio.Open(c.Context, e.fs, tableio.Spec{Paths: []string{path}})
		if err != nil {
			return err
		}
		in := starter{name: inputName(path, ins), path: path, table: t}
		if in.leaveOutNested(); len(in.schema.Fields) == 0 {
			return usagef("init %s: it has no column that can be computed on", path)
		}
		ins = append(ins, in)
	}
	_, err := fmt.Fprint(e.out, starterJob(ins))
	return err
}

func (in *starter) leaveOutNested() {
	s := in.table.Schema()
	var cols []int
	for i, f := range s.Fields {
		switch {
		case f.Type.ID != batch.Nested:
			cols = append(cols, i)
		case f.Type.Shape == "":
			if _, counts := in.table.Unread(f.Name); !counts {
				in.refused = append(in.refused, f.Name)
				continue
			}
			in.counts = append(in.counts, f.Name)
		}
		in.read = append(in.read, f.Name)
	}
	in.schema = s.Select(cols)
}

// notInName is what a name without quotes does not hold.
var notInName = regexp.MustCompile(`[^A-Za-z0-9_]+`)

// inputName makes a name of a path's last part that no input before has.
func inputName(path string, before []starter) string {
	base := filepath.Base(filepath.Clean(path))
	if strings.ContainsAny(base, "*?[") {
		base = filepath.Base(filepath.Dir(path)) // a pattern is named by its folder
	}
	base = strings.TrimSuffix(base, filepath.Ext(base))
	base = strings.Trim(notInName.ReplaceAllString(base, "_"), "_")
	if base == "" || base[0] >= '0' && base[0] <= '9' || base == "result" {
		base = strings.TrimSuffix("input_"+base, "_")
	}
	name := base
	for n := 2; slices.ContainsFunc(before, func(s starter) bool { return s.name == name }); n++ {
		name = fmt.Sprintf("%s_%d", base, n)
	}
	return name
}

func starterJob(ins []starter) string {
	var b strings.Builder
	b.WriteString("# A starter job, made from the schemas of the files. Lines with # are suggestions: uncomment what you need.\n")
	b.WriteString("# Next: pqjoin validate JOB checks it, pqjoin plan JOB shows what it would cost, pqjoin run JOB runs it.\n")
	b.WriteString("# Relative paths start in the folder of the job file.\n")
	b.WriteString("# Editors complete and check jobs by a schema: pqjoin schema >job.schema.json, and this line at the top:\n")
	b.WriteString("#   # yaml-language-server: $schema=job.schema.json\n\ninputs:\n")
	for _, in := range ins {
		in.describe(&b)
	}
	first := ins[0]
	s := first.schema
	key, value := keyColumn(s), valueColumn(s)
	time := timeWithin(s)
	b.WriteString("\ntables:\n  result:\n")
	fmt.Fprintf(&b, "    - from: %s\n", yamlText(first.name))
	fmt.Fprintf(&b, "    # - where: %s\n", yamlExpr(expr.QuoteName(key)+" is not null"))
	index, within := yamlText(key), ""
	if time != "" {
		index, within = "["+yamlText(key)+", "+yamlText(time)+"]", ", order_by: "+yamlText(time)
	}
	fmt.Fprintf(&b, "    - index: %s\n", index)
	if value != "" {
		fmt.Fprintf(&b, "    # - lag: {column: %s, by: %s, periods: [1, 2], as: \"{column}_{period}\"%s}\n", yamlText(value), yamlText(key), within)
	}
	for _, in := range ins[1:] {
		if on := sharedColumn(s, in.schema); on != "" {
			fmt.Fprintf(&b, "    # - join: {with: %s, on: %s, how: left}\n", yamlText(in.name), yamlText(on))
		} else {
			fmt.Fprintf(&b, "    # - join: {with: %s, on: {left_column: right_column}, how: left}   # no column has the same name and type on both sides\n", yamlText(in.name))
		}
	}
	aggs := "rows: count()"
	if value != "" {
		aggs += ", mean: " + yamlExpr("mean("+expr.QuoteName(value)+")")
	}
	fmt.Fprintf(&b, "    # - groupby: {by: %s, agg: {%s}}\n", yamlText(key), aggs)
	b.WriteString("\noutputs:\n  result: result/            # a directory of part files; a path ending in .parquet is one file\n")
	b.WriteString("  # result: {path: result/, compression: zstd, if_exists: replace}\n")
	b.WriteString("\n# run: {mem: 4GB}              # the bound of the whole process; the default is 60 % of what is free\n")
	return b.String()
}

// describe writes an input and, as comments, what is in it.
func (in *starter) describe(b *strings.Builder) {
	t := in.table
	size := int64(0)
	for _, f := range t.Files() {
		size += f.Size
	}
	files := "1 file"
	if n := len(t.Files()); n != 1 {
		files = humanize.Comma(int64(n)) + " files"
	}
	fmt.Fprintf(b, "  # %s rows in %s, %s:\n", humanize.Comma(t.Rows()), files, humanize.Bytes(uint64(size)))
	var columns strings.Builder
	w := tabwriter.NewWriter(&columns, 0, 0, 2, ' ', 0)
	for i, f := range t.Schema().Fields {
		var notes []string
		if s := t.ColumnStats(i); s.Nulls > 0 {
			notes = append(notes, humanize.Comma(s.Nulls)+" nulls")
		}
		if least, most, ok := engine.Bounds(t, i); ok {
			notes = append(notes, comment(least.Text)+" to "+comment(most.Text))
		}
		fmt.Fprintf(w, "  #   %s\t%s\t%s\n", comment(f.Name), comment(typeText(t, f)), strings.Join(notes, ", "))
	}
	w.Flush() // into memory: it cannot fail
	for line := range strings.Lines(columns.String()) {
		b.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	if len(in.refused) == 0 && len(in.counts) == 0 {
		fmt.Fprintf(b, "  %s: %s\n", yamlText(in.name), yamlText(in.path))
		return
	}
	fmt.Fprintf(b, "  %s:\n    path: %s\n", yamlText(in.name), yamlText(in.path))
	if len(in.refused) > 0 {
		fmt.Fprintf(b, "    # Of types that are not read: %s.\n    columns: [%s]\n", comment(strings.Join(in.refused, ", ")), yamlList(in.read, ""))
	}
	if len(in.counts) > 0 {
		fmt.Fprintf(b, "    # Durations are read as the counts of their unit.\n    types: {%s}\n", yamlList(in.counts, ": int64"))
	}
}

// yamlList writes names, each with what follows it.
func yamlList(names []string, more string) string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = yamlText(name) + more
	}
	return strings.Join(out, ", ")
}

// comment makes a text fit a comment.
func comment(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' || r == '\u0085' {
			return ' '
		}
		return r
	}, s)
	if r := []rune(s); len(r) > maxCell {
		s = string(r[:maxCell]) + "..."
	}
	return s
}

func isTime(t batch.Type) bool   { return t.ID == batch.Timestamp || t.ID == batch.Date }
func isString(t batch.Type) bool { return t.ID == batch.String }

// keyColumn picks the column by which a table most likely is put in order: a string where there is a time
// to follow it, as in trades of symbols, else a time, else an integer, else any.
func keyColumn(s *batch.Schema) string {
	if timeWithin(s) != "" {
		return pick(s, isString)
	}
	return pick(s, isTime, batch.Type.IsInteger, func(batch.Type) bool { return true })
}

// timeWithin returns the time by which the rows of one key are in order, where both columns are there.
func timeWithin(s *batch.Schema) string {
	if pick(s, isString) == "" {
		return ""
	}
	return pick(s, func(t batch.Type) bool { return t.ID == batch.Timestamp }, isTime)
}

// valueColumn picks a column to compute with: a float or decimal, else the last integer that is not the key.
func valueColumn(s *batch.Schema) string {
	v := pick(s, batch.Type.IsFloat, func(t batch.Type) bool { return t.ID == batch.Decimal })
	if v == keyColumn(s) {
		v = ""
	}
	for i := len(s.Fields) - 1; i >= 0 && v == ""; i-- {
		if f := s.Fields[i]; f.Type.IsInteger() && f.Name != keyColumn(s) {
			v = f.Name
		}
	}
	return v
}

// pick returns the first column that the earliest of the tests accepts, or nothing.
func pick(s *batch.Schema, tests ...func(batch.Type) bool) string {
	for _, test := range tests {
		for _, f := range s.Fields {
			if test(f.Type) {
				return f.Name
			}
		}
	}
	return ""
}

// sharedColumn returns a column that both sides have by name and type, the likely key first.
func sharedColumn(left, right *batch.Schema) string {
	both := func(name string) bool {
		l, r := left.Index(name), right.Index(name)
		return l >= 0 && r >= 0 && left.Fields[l].Type == right.Fields[r].Type
	}
	if k := keyColumn(left); k != "" && both(k) {
		return k
	}
	for _, f := range left.Fields {
		if both(f.Name) {
			return f.Name
		}
	}
	return ""
}

var (
	plainYAML = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_./-]*$`)
	yamlWords = []string{"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
)

// yamlText writes a text as a YAML scalar, with quotes where it needs them.
func yamlText(s string) string {
	if plainYAML.MatchString(s) && !slices.Contains(yamlWords, strings.ToLower(s)) {
		return s
	}
	quoted, err := json.Marshal(s) // JSON's strings are YAML's, for all that a name can hold
	if err != nil {
		return s
	}
	return string(quoted)
}

// yamlExpr writes an expression, which needs quotes as soon as it has any or a colon, comma or brace.
func yamlExpr(s string) string {
	if strings.ContainsAny(s, "\"'{}[],:#&*!|>%@`\\") {
		return yamlText(s)
	}
	return s
}
