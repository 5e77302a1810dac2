package monitor

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
)

// Output is a published output, for the summary.
type Output struct {
	Label string `json:"label"`
	Path  string `json:"path"`
	Rows  int64  `json:"rows"`
	Bytes int64  `json:"bytes"`
	Files int    `json:"files"`
}

// Summary is what a run did, as the end of a run prints it, and --json.
type Summary struct {
	Elapsed  time.Duration   `json:"elapsed_ns"`
	Memory   int64           `json:"memory_bound_bytes"`
	PeakPool int64           `json:"peak_pool_bytes"`
	PeakAnon int64           `json:"peak_anonymous_bytes"` // of the process, as the kernel counts it
	Spilled  int64           `json:"spilled_bytes"`
	Stages   []StageSnapshot `json:"stages"`
	Outputs  []Output        `json:"outputs"`
	Notes    []string        `json:"notes,omitempty"`
}

// Summarize makes the summary of a finished run. peakPool is in bytes.
func Summarize(s Snapshot, peakPool int64, outputs []Output) *Summary {
	return &Summary{Elapsed: s.Elapsed, Memory: s.Memory, PeakPool: peakPool, PeakAnon: max(s.PeakAnon, anonymous()), Spilled: s.Spilled, Stages: ran(s.Stages), Outputs: outputs, Notes: s.Notes}
}

// ran returns the stages that began, in the order in which they did: of what was planned, what --resume took over did not.
func ran(stages []StageSnapshot) []StageSnapshot {
	stages = slices.DeleteFunc(slices.Clone(stages), func(st StageSnapshot) bool { return st.State == states[waiting] })
	slices.SortStableFunc(stages, func(a, b StageSnapshot) int { return cmp.Compare(a.Ended-a.Elapsed, b.Ended-b.Elapsed) })
	return stages
}

// Text writes the summary for people.
func (s *Summary) Text(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "rows in\trows out\ttime\tspilled\tpeak memory\tstage\t")
	for _, st := range s.Stages {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t\n", humanize.Comma(st.RowsIn), humanize.Comma(st.RowsOut), clock(st.Elapsed), humanize.Bytes(uint64(st.Spilled)), humanize.Bytes(uint64(st.PeakAnon)), st.Name)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, n := range s.Notes {
		fmt.Fprintf(out, "note: %s\n", n)
	}
	for _, o := range s.Outputs {
		fmt.Fprintf(out, "%s: %s rows in %s, %s -> %s\n", o.Label, humanize.Comma(o.Rows), files(o.Files), humanize.Bytes(uint64(o.Bytes)), o.Path)
	}
	_, err := fmt.Fprintf(out, "done in %s; peak memory %s of %s, spilled %s\n", clock(s.Elapsed), humanize.Bytes(uint64(s.PeakAnon)), humanize.Bytes(uint64(s.Memory)), humanize.Bytes(uint64(s.Spilled)))
	return err
}

func files(n int) string {
	if n == 1 {
		return "1 file"
	}
	return fmt.Sprintf("%d files", n)
}
