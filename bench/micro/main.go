// Command micro runs the benchmarks of the kernels and prints what each costs a row beside
// the limit that it runs into, measured in the same run: make bench-micro.
//
//	kernel                  ns/row  B/row   MB/s  limit                      of it
//	hashjoin.Probe/hash        6.1   24.0   3934  cache random, 2 x 2.1 ns   69 %
//
// With -ref it compares the work tree with a commit instead: both are built, their runs take turns, and
// benchstat judges. Times are the processor's (see internal/microbench), of one core.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// limitsPackage holds the benchmarks of the limits.
const limitsPackage = "bench/micro"

type config struct {
	goTool    string
	bench     string
	benchtime string
	count     int
	ref       string
	benchstat string
	packages  []string // directories
}

func main() {
	var c config
	flag.StringVar(&c.goTool, "go", "go", "the go command")
	flag.StringVar(&c.bench, "bench", ".", "which benchmarks, as go test has it")
	flag.StringVar(&c.benchtime, "benchtime", "", "how long each runs, once a round; empty: 100ms, or 40ms to compare")
	flag.IntVar(&c.count, "count", 0, "rounds; 0: three, or six to compare; the table has the fastest")
	flag.StringVar(&c.ref, "ref", "", "compare with this commit")
	flag.StringVar(&c.benchstat, "benchstat", "golang.org/x/perf/cmd/benchstat@latest", "the tool that compares")
	flag.Parse()
	c.packages = flag.Args()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := c.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "micro:", err)
		if errors.Is(err, errNothing) {
			os.Exit(2) // as the shell sees it, of make too
		}
		os.Exit(1)
	}
}

// errNothing is what a package or a pattern gets that chooses no benchmark.
var errNothing = errors.New("nothing to measure")

func (c *config) run(ctx context.Context) (err error) {
	root, err := c.output(ctx, ".", "git", "rev-parse", "--show-toplevel")
	if err != nil {
		return err
	}
	if len(c.packages) == 0 {
		c.packages, err = benchPackages(root)
	} else {
		c.packages, err = directories(root, c.packages)
	}
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "pqjoin-micro-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	if c.ref != "" {
		c.count, c.benchtime = cmp.Or(c.count, 6), cmp.Or(c.benchtime, "40ms") // six of each: what benchstat wants at least
		return c.compare(ctx, root, tmp)
	}
	c.count, c.benchtime = cmp.Or(c.count, 3), cmp.Or(c.benchtime, "100ms")
	return c.table(ctx, root, tmp)
}

// table measures the limits and the kernels, and prints them.
func (c *config) table(ctx context.Context, root, tmp string) error {
	tests, err := c.build(ctx, root, tmp, append([]string{limitsPackage}, c.packages...))
	if err != nil {
		return err
	}
	var all results
	for range c.count {
		for _, t := range tests {
			if err := c.measure(ctx, t, &all); err != nil {
				return err
			}
		}
		if len(all.names) == 0 {
			return c.nothing()
		}
	}
	return all.print(os.Stdout)
}

// compare builds a commit in a work tree of its own, lets its runs and ours take turns, and hands both to benchstat.
func (c *config) compare(ctx context.Context, root, tmp string) (err error) {
	there := filepath.Join(tmp, "tree")
	if _, err := c.output(ctx, root, "git", "worktree", "add", "--detach", there, c.ref); err != nil {
		return err
	}
	defer func() { // also when interrupted
		_, rerr := c.output(context.Background(), root, "git", "worktree", "remove", "--force", there)
		err = errors.Join(err, rerr)
	}()
	sides := []struct{ name, root string }{{"before", there}, {"after", root}}
	tests := map[string][]testBinary{}
	for _, s := range sides {
		if tests[s.name], err = c.build(ctx, s.root, filepath.Join(tmp, s.name), c.packages); err != nil {
			return err
		}
	}
	var out [2]results
	for round := range c.count {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, c.count)
		for _, pkg := range c.packages {
			for k := range sides {
				k = (k + round) % 2 // who goes first changes
				for _, t := range tests[sides[k].name] {
					if t.pkg == pkg {
						if err := c.measure(ctx, t, &out[k]); err != nil {
							return err
						}
					}
				}
			}
		}
	}
	if len(out[1].names) == 0 {
		return c.nothing()
	}
	var files []string
	for k, s := range sides {
		name := filepath.Join(tmp, s.name+".txt")
		if err := os.WriteFile(name, []byte(out[k].text.String()), 0o666); err != nil {
			return err
		}
		files = append(files, s.name+"="+name)
	}
	cmd := exec.CommandContext(ctx, c.goTool, append([]string{"run", c.benchstat, "-filter", ".unit:ns/row"}, files...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = tmp, os.Stdout, os.Stderr // not in the module: benchstat is no part of it
	return cmd.Run()
}

// testBinary is a package's tests, built.
type testBinary struct {
	pkg  string // its directory, from the root
	dir  string // where it runs
	path string
}

// build compiles the tests of the packages that are there.
func (c *config) build(ctx context.Context, root, to string, packages []string) ([]testBinary, error) {
	if err := os.MkdirAll(to, 0o777); err != nil {
		return nil, err
	}
	var out []testBinary
	for _, pkg := range packages {
		t := testBinary{pkg: pkg, dir: filepath.Join(root, pkg), path: filepath.Join(to, strings.ReplaceAll(pkg, "/", "-")+".test")}
		if _, err := os.Stat(t.dir); errors.Is(err, os.ErrNotExist) {
			continue // an older commit may not have it
		}
		if _, err := c.output(ctx, t.dir, c.goTool, "test", "-c", "-o", t.path, "."); err != nil {
			return nil, fmt.Errorf("%s: %w", pkg, err)
		}
		out = append(out, t)
	}
	return out, nil
}

// measure runs a package's benchmarks once.
func (c *config) measure(ctx context.Context, t testBinary, to *results) error {
	text, err := c.output(ctx, t.dir, t.path, "-test.run", "^$", "-test.bench", c.bench, "-test.benchtime", c.benchtime, "-test.cpu", "1")
	if err != nil {
		return fmt.Errorf("%s: %w", t.pkg, err)
	}
	return to.add(t.pkg, text)
}

func (c *config) output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var stderr strings.Builder
	cmd.Dir, cmd.Stderr = dir, &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, out, stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// nothing is the error of a pattern that no benchmark of the packages has.
func (c *config) nothing() error {
	return fmt.Errorf("%w: no benchmark of %s matches %q", errNothing, strings.Join(c.packages, ", "), c.bench)
}

// directories returns the packages as directories from the root, whether they were written as mem, ./mem or mem/. Each
// must be there and hold benchmarks.
func directories(root string, packages []string) ([]string, error) {
	var dirs []string
	for _, p := range packages {
		dir := filepath.ToSlash(filepath.Clean(p))
		tests, err := filepath.Glob(filepath.Join(root, dir, "*_test.go"))
		if err != nil {
			return nil, err
		}
		if info, err := os.Stat(filepath.Join(root, dir)); err != nil || !info.IsDir() || !filepath.IsLocal(dir) {
			return nil, fmt.Errorf("%w: %s is no directory of this module", errNothing, p)
		}
		found, err := anyHolds(tests, "\nfunc Benchmark")
		if err != nil {
			return nil, err
		}
		if !found {
			return nil, fmt.Errorf("%w: %s has no benchmarks", errNothing, p)
		}
		dirs = append(dirs, dir)
	}
	return dirs, nil
}

// anyHolds says whether one of the files holds the text.
func anyHolds(files []string, text string) (bool, error) {
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			return false, err
		}
		if strings.Contains(string(b), text) {
			return true, nil
		}
	}
	return false, nil
}

// benchPackages returns the directories of the module that the table of limits names.
func benchPackages(root string) ([]string, error) {
	var dirs []string
	for _, l := range limits {
		dir, _, _ := strings.Cut(l.kernel, ".")
		if !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	for _, d := range dirs {
		if _, err := os.Stat(filepath.Join(root, d)); err != nil {
			return nil, err
		}
	}
	return dirs, nil
}
