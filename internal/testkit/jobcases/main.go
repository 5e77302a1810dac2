// Command jobcases writes jobs with their data as folders, for tests that run them elsewhere: random jobs of jobgen, and
// the jobs of the golden tests.
//
//	jobcases -seed 1 -cases 300 DIR         DIR/1, DIR/2, ...
//	jobcases -golden engine/testdata/golden DIR
//	jobcases -cookbook docs/cookbook DIR
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"pqjoin/internal/testkit/goldentypes"
	"pqjoin/internal/testkit/jobgen"
	"pqjoin/internal/vfs"
)

func main() {
	seed := flag.Uint64("seed", 1, "of the first random job")
	cases := flag.Uint64("cases", 0, "how many random jobs")
	golden := flag.String("golden", "", "the folder of golden tests")
	cookbook := flag.String("cookbook", "", "the folder of the cookbook's pages")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "jobcases takes one folder to write to")
		os.Exit(2)
	}
	err := random(flag.Arg(0), *seed, *cases)
	if err == nil && *golden != "" {
		err = fromGolden(flag.Arg(0), *golden)
	}
	if err == nil && *cookbook != "" {
		err = fromPages(flag.Arg(0), *cookbook)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "jobcases:", err)
		os.Exit(1)
	}
}

func random(dir string, seed, cases uint64) error {
	for i := range cases {
		c, _ := jobgen.New(seed + i)
		if err := c.Write(context.Background(), vfs.OS(), filepath.Join(dir, fmt.Sprint(seed+i))); err != nil {
			return err
		}
	}
	return nil
}

// fromGolden writes a job for each line of each cases.txt: a name, maybe an order, the table and the verb. Types have jobs of their own.
func fromGolden(dir, golden string) error {
	lists, err := filepath.Glob(filepath.Join(golden, "*", "cases.txt"))
	if err != nil {
		return err
	}
	for _, list := range lists {
		in, err := filepath.Abs(filepath.Dir(list))
		if err != nil {
			return err
		}
		text, err := os.ReadFile(list)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(text)) {
			f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
			if len(f) < 3 {
				continue
			}
			if err := goldenJob(filepath.Join(dir, filepath.Base(in)+"_"+f[0]), inputs(in, string(text)), f[len(f)-2], f[len(f)-1]); err != nil {
				return err
			}
		}
	}
	return fromTypes(dir, filepath.Join(golden, "types"))
}

// fromTypes writes a job for each type.
func fromTypes(dir, golden string) error {
	g, err := goldentypes.Read(golden)
	if err != nil {
		return err
	}
	for typ := range g.Answers {
		to := filepath.Join(dir, "types_"+typ)
		if err := os.MkdirAll(to, 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, "job.yaml"), []byte(g.Job(typ)), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// inputs are the tables of a folder of golden tests that are no answers to its cases.
func inputs(in, cases string) []string {
	tables, _ := filepath.Glob(filepath.Join(in, "*.parquet"))
	return slices.DeleteFunc(tables, func(t string) bool {
		return strings.Contains("\n"+cases, "\n"+strings.TrimSuffix(filepath.Base(t), ".parquet")+"\t")
	})
}

// goldenJob writes a job of one verb over the tables.
func goldenJob(dir string, tables []string, from, verb string) error {
	text := "inputs:\n"
	for _, t := range tables {
		text += fmt.Sprintf("  %s: %q\n", strings.TrimSuffix(filepath.Base(t), ".parquet"), t)
	}
	text += fmt.Sprintf("tables:\n  result:\n    - from: %s\n    - %s\noutputs:\n  result: out/result.parquet\n", from, verb)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "job.yaml"), []byte(text), 0o644)
}

var fence = regexp.MustCompile("(?ms)^```(yaml|csv) ?([^\n]*)\n(.*?)^```$")

// fromPages writes the job of each page, and the data on it.
func fromPages(dir, pages string) error {
	list, err := filepath.Glob(filepath.Join(pages, "*.md"))
	if err != nil {
		return err
	}
	for _, page := range list {
		text, err := os.ReadFile(page)
		if err != nil {
			return err
		}
		to := filepath.Join(dir, strings.TrimSuffix(filepath.Base(page), ".md"))
		for _, m := range fence.FindAllStringSubmatch(string(text), -1) {
			name := m[2]
			if m[1] == "yaml" {
				name = "job.yaml"
			} else if !strings.Contains(name, "/") {
				continue // a result
			}
			if err := os.MkdirAll(filepath.Dir(filepath.Join(to, name)), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(to, name), []byte(m[3]), 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}
