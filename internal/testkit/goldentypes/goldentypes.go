// Package goldentypes reads the golden tests of every type through every operator: the folder engine/testdata/golden/types, which
// make.py there describes.
package goldentypes

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Case is a pipeline over the table t of (id, g, v).
type Case struct {
	Name    string
	Ordered bool // its rows have the order of the answer
	Verbs   []string
}

// Golden are the tests of a folder.
type Golden struct {
	Dir   string // absolute
	Cases []Case
	// Answers are DuckDB's rows by type and case.
	Answers map[string]map[string][]string
}

// Read reads a folder.
func Read(dir string) (*Golden, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	g := &Golden{Dir: abs, Answers: map[string]map[string][]string{}}
	cases, err := tabbed(filepath.Join(abs, "pipelines.txt"))
	if err != nil {
		return nil, err
	}
	for _, f := range cases {
		g.Cases = append(g.Cases, Case{f[0], f[1] == "ordered", f[2:]})
	}
	answers, err := tabbed(filepath.Join(abs, "answers.txt"))
	if err != nil {
		return nil, err
	}
	for _, f := range answers {
		for _, typ := range strings.Fields(f[1]) {
			if g.Answers[typ] == nil {
				g.Answers[typ] = map[string][]string{}
			}
			g.Answers[typ][f[0]] = strings.Split(f[2], ";")
		}
	}
	return g, nil
}

// tabbed reads a file of lines of three fields or more.
func tabbed(path string) (lines [][]string, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) < 3 {
			return nil, fmt.Errorf("%s: a line of %d fields", path, len(f))
		}
		lines = append(lines, f)
	}
	return lines, nil
}

// Inputs returns the paths of the two tables that have a column of a type.
func (g *Golden) Inputs(typ string) (lefts, rights string) {
	old := ""
	if typ == "int96" {
		old = "96"
	}
	return filepath.Join(g.Dir, "t"+old+".parquet"), filepath.Join(g.Dir, "u"+old+".parquet")
}

// Job returns the text of a job of all the cases of a type that DuckDB answers; the output of the case c is out/c.parquet.
func (g *Golden) Job(typ string) string {
	lefts, rights := g.Inputs(typ)
	text := fmt.Sprintf("inputs: {lefts: %q, rights: %q}\ntables:\n", lefts, rights)
	for _, side := range []string{"t: [{from: lefts}", "u: [{from: rights}"} {
		text += fmt.Sprintf("  %s, {select: [id, g, {v: '\"%s\"'}]}]\n", side, typ)
	}
	text += "  bare: [{from: rights}, {select: [id, g]}]\n"
	if g.Answers[typ]["nearest"] != nil {
		text += "  once: [{from: u}, {where: v is not null}, {distinct: [v]}]\n"
	}
	outputs := "outputs:\n"
	for _, c := range g.Cases {
		if g.Answers[typ][c.Name] == nil {
			continue
		}
		text += fmt.Sprintf("  r_%s:\n    - from: t\n", c.Name)
		for _, v := range c.Verbs {
			text += "    - " + v + "\n"
		}
		outputs += fmt.Sprintf("  r_%s: out/%s.parquet\n", c.Name, c.Name)
	}
	return text + outputs
}
