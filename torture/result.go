package main

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// id says what results are of.
type id struct {
	Program string // hash of its file
	Version string // as it says itself
}

func newID(bin string) (id, error) {
	text, err := os.ReadFile(bin)
	if err != nil {
		return id{}, err
	}
	version, err := exec.Command(bin, "version").Output()
	return id{fmt.Sprintf("%x", sha256.Sum256(text)), strings.TrimSpace(string(version))}, err
}

// result counts the trials of a part.
type result struct {
	Part    string
	Of      id
	Scale   float64 // of the numbers of trials
	Seed    uint64
	Trials  int
	Ends    map[string]int // how often a trial ended so
	Facts   []string       // further figures, a sentence each
	Refuted []string       // how to see it, for each trial that refutes the claim
	Skipped string         // why nothing, or not all, was tried
	Took    time.Duration
	stopped func() error // not nil once trials are interrupted: what they show from then on says nothing
}

// end counts a trial that ended in the named way.
func (r *result) end(how string) {
	if r.Ends == nil {
		r.Ends = map[string]int{}
	}
	r.Trials++
	r.Ends[how]++
}

// refute counts a trial that refutes the claim, and says so at once.
func (r *result) refute(format string, args ...any) {
	if r.stopped != nil && r.stopped() != nil {
		return
	}
	text := fmt.Sprintf(format, args...)
	fmt.Fprintf(os.Stderr, "%s: REFUTED: %s\n", r.Part, text)
	r.Refuted = append(r.Refuted, text)
	r.end("refuted")
}

func (r *result) fact(format string, args ...any) {
	r.Facts = append(r.Facts, fmt.Sprintf(format, args...))
}

// skip says why nothing, or nothing more, can be tried here.
func (r *result) skip(why error) { r.Skipped = why.Error() }

// line sums the part up.
func (r *result) line() string {
	if r.Skipped != "" && r.Trials == 0 {
		return fmt.Sprintf("%s: SKIPPED: %s", r.Part, r.Skipped)
	}
	return fmt.Sprintf("%s: %d trials, %d refute the claim, %v: %s", r.Part, r.Trials, len(r.Refuted), r.Took.Round(time.Second), r.outcomes())
}

// outcomes lists how trials ended, the most frequent first.
func (r *result) outcomes() string {
	hows := slices.SortedFunc(maps.Keys(r.Ends), func(a, b string) int {
		return cmp.Or(cmp.Compare(r.Ends[b], r.Ends[a]), strings.Compare(a, b))
	})
	for i, how := range hows {
		hows[i] = fmt.Sprintf("%s %d", how, r.Ends[how])
	}
	return strings.Join(hows, ", ")
}

// keep writes the result where load finds it.
func (b *bench) keep(r *result) error {
	text, err := json.MarshalIndent(r, "", "  ")
	return errors.Join(err, os.WriteFile(b.path(fmt.Sprintf("result-%s-%d.json", r.Part, r.Seed)), text, 0o666))
}

// load returns the kept results of this program in the order of the parts, those of a part with several seeds as one.
func (b *bench) load() (results []*result, err error) {
	for _, p := range parts {
		names, err := filepath.Glob(b.path("result-" + p.name + "-*.json"))
		if err != nil {
			return nil, err
		}
		var sum *result
		for _, name := range names {
			text, err := os.ReadFile(name)
			r := &result{}
			if err := errors.Join(err, json.Unmarshal(text, r)); err != nil {
				return nil, err
			}
			switch {
			case r.Of != b.id:
			case sum == nil:
				sum = r
			default:
				sum.add(r)
			}
		}
		if sum != nil {
			results = append(results, sum)
		}
	}
	return results, nil
}

// add takes up the trials of the same part with another seed.
func (r *result) add(o *result) {
	r.Trials, r.Took, r.Skipped = r.Trials+o.Trials, r.Took+o.Took, cmp.Or(r.Skipped, o.Skipped)
	if r.Ends == nil {
		r.Ends = map[string]int{}
	}
	for how, n := range o.Ends {
		r.Ends[how] += n
	}
	r.Facts, r.Refuted = append(r.Facts, o.Facts...), append(r.Refuted, o.Refuted...)
}

// writeReport writes what is known by now; without a file it does nothing.
func (b *bench) writeReport(file string) error {
	if file == "" {
		return nil
	}
	results, err := b.load()
	if err != nil {
		return err
	}
	return os.WriteFile(file, []byte(render(results, b.id)), 0o666)
}

// defences is the checked-in table of faults and of the tests that defend each line; see defences_test.go.
//
//go:embed defences.md
var defences string

// render writes the report.
func render(results []*result, of id) string {
	var s strings.Builder
	fmt.Fprintf(&s, "# Reliability\n\nWhat was tried to break pqjoin, how often, and what happened: made by `make torture` with\n`%s` on %s/%s with %d cores, %s.\n",
		of.Version, runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), time.Now().UTC().Format(time.DateOnly))
	s.WriteString("A refuted claim makes `make torture` fail. `torture/` is the program; each part's file says what it does.\n\n")
	s.WriteString("| part | trials | refuted | time |\n| --- | ---: | ---: | ---: |\n")
	for _, r := range results {
		if r.Skipped != "" && r.Trials == 0 {
			fmt.Fprintf(&s, "| %s | skipped: %s | | |\n", r.Part, r.Skipped)
			continue
		}
		fmt.Fprintf(&s, "| %s | %d | %d | %v |\n", r.Part, r.Trials, len(r.Refuted), r.Took.Round(time.Second))
	}
	for _, r := range results {
		r.section(&s)
	}
	s.WriteString("\n" + defences)
	return s.String()
}

// section writes what is to be said of one part.
func (r *result) section(s *strings.Builder) {
	i := slices.IndexFunc(parts[:], func(p part) bool { return p.name == r.Part })
	fmt.Fprintf(s, "\n## %s\n\n%s\n", r.Part, parts[i].claim)
	if r.Trials > 0 {
		fmt.Fprintf(s, "\nTrials ended so: %s.\n", r.outcomes())
	}
	if r.Skipped != "" && r.Trials > 0 {
		fmt.Fprintf(s, "\nNot all was tried: %s.\n", r.Skipped)
	}
	lines := slices.Clone(r.Facts)
	for _, f := range r.Refuted {
		lines = append(lines, "REFUTED: "+f)
	}
	if len(lines) > 0 {
		fmt.Fprintf(s, "\n- %s\n", strings.Join(lines, "\n- "))
	}
}
