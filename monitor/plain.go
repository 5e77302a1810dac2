package monitor

import (
	"fmt"
	"io"
	"time"

	"github.com/dustin/go-humanize"
)

// plain writes a line when a stage ends, and now and then while one runs: for logs, cron and pipes.
type plain struct {
	w    io.Writer
	seen map[int]bool  // stages that were reported as ended
	next time.Duration // when lines of running stages are due
}

func newPlain(w io.Writer) *plain { return &plain{w: w, seen: map[int]bool{}, next: plainEvery} }

// plainEvery is how often running stages are told of.
const plainEvery = 5 * time.Second

func (p *plain) every() time.Duration { return 200 * time.Millisecond }

func (p *plain) draw(s Snapshot) {
	p.finished(s)
	if s.Elapsed < p.next {
		return
	}
	p.next = s.Elapsed + plainEvery
	for _, st := range s.Stages {
		if st.State == "running" {
			fmt.Fprintf(p.w, "%s  %s  memory %s of %s  spilled %s%s\n", clock(s.Elapsed), st.line(),
				humanize.Bytes(uint64(s.MemoryUsed)), humanize.Bytes(uint64(s.Memory)), humanize.Bytes(uint64(s.Spilled)), left(s))
		}
	}
}

// finished reports stages that ended since the last time, with the time at which they did.
func (p *plain) finished(s Snapshot) {
	for i, st := range s.Stages {
		if p.seen[i] {
			continue
		}
		switch st.State {
		case "done":
			fmt.Fprintf(p.w, "%s  %s: done in %s\n", clock(st.Ended), st.line(), clock(st.Elapsed))
		case "stopped":
			fmt.Fprintf(p.w, "%s  %s: stopped after %s\n", clock(st.Ended), st.line(), clock(st.Elapsed))
		default:
			continue
		}
		p.seen[i] = true
	}
}

func (p *plain) end(s Snapshot, _ bool) { p.finished(s) }

func (s StageSnapshot) line() string {
	text := s.Name + ": " + humanize.Comma(s.RowsIn)
	if s.ExpectRows > s.RowsIn {
		text += " of " + humanize.Comma(s.ExpectRows)
	}
	return text + " rows, " + humanize.Bytes(uint64(s.BytesIn))
}

func left(s Snapshot) string {
	if d := eta(s); d > 0 {
		return "  about " + clock(d) + " left"
	}
	return ""
}

// clock writes a duration as people say it: 0.8s, 12.3s, 4m05s.
func clock(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	d = d.Round(time.Second)
	if d < time.Hour {
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}
