package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// measure is what a benchmark reports of a row: nanoseconds, and bytes that have to be moved.
type measure struct{ ns, bytes float64 }

// results are the lines of runs, by benchmark in the order in which they first came.
type results struct {
	names []string
	runs  map[string][]measure
	text  strings.Builder // as go test wrote them, for benchstat
}

// add reads the output of one run of a package's benchmarks.
func (r *results) add(pkg, text string) error {
	if r.runs == nil {
		r.runs = map[string][]measure{}
	}
	fmt.Fprintf(&r.text, "pkg: %s\n", pkg)
	for line := range strings.Lines(text) {
		name, ok := strings.CutPrefix(line, "Benchmark")
		f := strings.Fields(name)
		if !ok || len(f) < 4 || len(f)%2 != 0 {
			continue
		}
		r.text.WriteString(line)
		m, err := measureOf(f[2:])
		if err != nil {
			return fmt.Errorf("%s: %q: %w", pkg, line, err)
		}
		name = pkg + "." + f[0]
		if r.runs[name] == nil {
			r.names = append(r.names, name)
		}
		r.runs[name] = append(r.runs[name], m)
	}
	r.text.WriteString("\n")
	return nil
}

// measureOf reads pairs of a value and its unit.
func measureOf(pairs []string) (m measure, err error) {
	for i := 0; i < len(pairs); i += 2 {
		v, err := strconv.ParseFloat(pairs[i], 64)
		if err != nil {
			return m, err
		}
		switch pairs[i+1] {
		case "ns/row":
			m.ns = v
		case "B/row":
			m.bytes = v
		}
	}
	return m, nil
}

// best returns the fastest run: whatever else the machine does can only slow one down.
func (r *results) best(name string) measure {
	return slices.MinFunc(r.runs[name], func(a, b measure) int { return cmp.Compare(a.ns, b.ns) })
}

// print writes the limits and then the kernels, each with its limit.
func (r *results) print(out io.Writer) error {
	const limitPrefix = limitsPackage + ".Limit/"
	cost := map[string]measure{}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "limit, one core\tns per 8 B\tMB/s\t")
	for _, name := range r.names {
		if limit, ok := strings.CutPrefix(name, limitPrefix); ok {
			limit = strings.ReplaceAll(limit, "_", " ") // as go test writes spaces
			m := r.best(name)
			cost[limit] = m
			fmt.Fprintf(w, "%s\t%.2f\t%.0f\t\n", limit, m.ns, 1e3*m.bytes/m.ns)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w, "\nkernel\tns/row\tB/row\tMB/s\tlimit\tns/row\tof it\t")
	width := 0
	for _, name := range r.names {
		width = max(width, len(name))
	}
	for _, name := range r.names {
		if !strings.HasPrefix(name, limitPrefix) {
			fmt.Fprintln(w, fmt.Sprintf("%-*s", width, name)+kernelLine(name, r.best(name), cost)) // names to the left, figures to the right
		}
	}
	return w.Flush()
}

func kernelLine(name string, m measure, cost map[string]measure) string {
	line := fmt.Sprintf("\t%.2f\t%.1f\t%.0f\t", m.ns, m.bytes, 1e3*m.bytes/m.ns)
	l, ok := limitOf(name)
	if !ok {
		return line + "none named\t\t\t"
	}
	least, ok := l.nsPerRow(m.bytes, cost)
	if !ok {
		return line + l.name + "\t\t\t"
	}
	how := l.name
	if l.reads > 1 {
		how = fmt.Sprintf("%g x %s", l.reads, l.name)
	}
	return line + fmt.Sprintf("%s\t%.2f\t%.0f %%\t", how, least, 100*least/m.ns)
}
