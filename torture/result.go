package main

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// result counts the trials of a part.
type result struct {
	part    part
	trials  int
	ends    map[string]int // how often a trial ended so
	facts   []string       // further figures, a sentence each
	refuted []string       // how to see it, for each trial that refutes the claim
	skipped string         // why nothing was tried
	began   time.Time
	took    time.Duration
}

// end counts a trial that ended in the named way.
func (r *result) end(how string) {
	if r.ends == nil {
		r.ends = map[string]int{}
	}
	r.trials++
	r.ends[how]++
}

// refute counts a trial that refutes the claim, and says so at once.
func (r *result) refute(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	fmt.Fprintf(os.Stderr, "%s: REFUTED: %s\n", r.part.name, text)
	r.refuted = append(r.refuted, text)
	r.end("refuted")
}

func (r *result) fact(format string, args ...any) {
	r.facts = append(r.facts, fmt.Sprintf(format, args...))
}

// line sums the part up.
func (r *result) line() string {
	if r.skipped != "" {
		return fmt.Sprintf("%s: SKIPPED: %s", r.part.name, r.skipped)
	}
	return fmt.Sprintf("%s: %d trials, %d refute the claim, %v: %s", r.part.name, r.trials, len(r.refuted), r.took.Round(time.Second), r.outcomes())
}

// outcomes lists how trials ended, the most frequent first.
func (r *result) outcomes() string {
	hows := slices.SortedFunc(maps.Keys(r.ends), func(a, b string) int {
		return cmp.Or(cmp.Compare(r.ends[b], r.ends[a]), strings.Compare(a, b))
	})
	for i, how := range hows {
		hows[i] = fmt.Sprintf("%s %d", how, r.ends[how])
	}
	return strings.Join(hows, ", ")
}

// render writes the report.
func render(results []*result, scale float64, seed uint64) string {
	var s strings.Builder
	fmt.Fprintf(&s, "# Reliability\n\nWhat was tried to break pqjoin, how often, and what happened: made by `make torture` (scale %v, seed %d) on %s/%s with %d cores, %s.\n",
		scale, seed, runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), time.Now().UTC().Format(time.DateOnly))
	s.WriteString("A refuted claim makes `make torture` fail. `torture/` is the program; each part's file says what it does.\n\n")
	s.WriteString("| part | trials | refuted | time |\n| --- | ---: | ---: | ---: |\n")
	for _, r := range results {
		if r.skipped != "" {
			fmt.Fprintf(&s, "| %s | skipped: %s | | |\n", r.part.name, r.skipped)
			continue
		}
		fmt.Fprintf(&s, "| %s | %d | %d | %v |\n", r.part.name, r.trials, len(r.refuted), r.took.Round(time.Second))
	}
	for _, r := range results {
		fmt.Fprintf(&s, "\n## %s\n\n%s\n", r.part.name, r.part.claim)
		if r.trials > 0 {
			fmt.Fprintf(&s, "\nTrials ended so: %s.\n", r.outcomes())
		}
		for _, f := range r.facts {
			fmt.Fprintf(&s, "\n- %s", f)
		}
		for _, f := range r.refuted {
			fmt.Fprintf(&s, "\n- REFUTED: %s", f)
		}
		if len(r.facts)+len(r.refuted) > 0 {
			s.WriteString("\n")
		}
	}
	return s.String()
}
