package monitor

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fill makes a board of one finished, one running and one waiting stage.
func fill(now func() time.Time) *Board {
	b := NewBoard(1<<30, now)
	b.Gauges(func() int64 { return 1 << 20 }, func() int64 { return 5 << 20 })
	done, running := b.Plan("read a", 100), b.Plan("index a", 200)
	b.Plan("write a", 300)
	done.Begin()
	done.In(100, 1000)
	done.Out(90)
	done.End(true)
	running.Begin()
	running.In(50, 500)
	return b
}

func clockAt(t *time.Time) func() time.Time { return func() time.Time { return *t } }

func TestSnapshotTellsStages(t *testing.T) {
	now := time.Unix(0, 0)
	b := fill(clockAt(&now))
	now = now.Add(10 * time.Second)
	s := b.Snapshot()
	if got := []string{s.Stages[0].State, s.Stages[1].State, s.Stages[2].State}; strings.Join(got, " ") != "done running waiting" {
		t.Errorf("states %v", got)
	}
	if s.Stages[0].RowsIn != 100 || s.Stages[0].RowsOut != 90 || s.Spilled != 5<<20 {
		t.Errorf("snapshot %+v", s)
	}
	// 150 rows of 600 in 10 s: 30 s are left.
	if d := eta(s); d != 30*time.Second {
		t.Errorf("eta %v, want 30s", d)
	}
}

func TestTakeFindsThePlannedStageOnce(t *testing.T) {
	b := NewBoard(1, time.Now)
	first := b.Plan("x", 5)
	if b.Take("x", 0) != first {
		t.Error("the planned stage was not taken")
	}
	first.Begin()
	if b.Take("x", 0) == first {
		t.Error("a stage that has begun was taken again")
	}
}

// The lines of a log are stamped with when a stage ended, not with when somebody looked, and a stage that failed is not done.
func TestPlainLinesTellWhenAndHowAStageEnded(t *testing.T) {
	now := time.Unix(0, 0)
	b := NewBoard(1<<30, clockAt(&now))
	first, second, _ := b.Plan("read a", 100), b.Plan("index a", 100), b.Plan("write a", 100)
	var out bytes.Buffer
	p := newPlain(&out)
	first.Begin()
	second.Begin()
	second.In(100, 1000)
	now = now.Add(2 * time.Second)
	second.End(true)
	now = now.Add(time.Second)
	p.draw(b.Snapshot())
	first.In(10, 100)
	now = now.Add(3 * time.Second)
	p.draw(b.Snapshot())
	now = now.Add(time.Second)
	first.End(false)
	now = now.Add(10 * time.Second)
	p.end(b.Snapshot(), false)
	want := `2.0s  index a: 100 rows, 1.0 kB: done in 2.0s
6.0s  read a: 10 of 100 rows, 100 B  memory 0 B of 1.1 GB  spilled 0 B  about 10.4s left
7.0s  read a: 10 of 100 rows, 100 B: stopped after 7.0s
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

// Every display must end by itself, whatever state the run stops in.
func TestEveryDisplayStops(t *testing.T) {
	for _, mode := range []string{"bar", "plain", "none", "auto"} {
		for _, ok := range []bool{true, false} {
			var out bytes.Buffer
			p, err := Watch(fill(time.Now), mode, &out)
			if err != nil {
				t.Fatal(err)
			}
			stopped := make(chan struct{})
			go func() { p.Stop(ok); close(stopped) }()
			select {
			case <-stopped:
			case <-time.After(20 * time.Second):
				t.Fatalf("%s does not stop", mode)
			}
		}
	}
	if _, err := Watch(NewBoard(1, time.Now), "loud", nil); err == nil {
		t.Error("an unknown mode is accepted")
	}
}

func TestSummaryNamesWhatHappened(t *testing.T) {
	var out bytes.Buffer
	b := fill(time.Now)
	b.Note("a strategy was switched")
	sum := Summarize(b.Snapshot(), 123, []Output{{Label: "result", Path: "result/", Rows: 90, Bytes: 10, Files: 1}})
	if err := sum.Text(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"read a", "note: a strategy was switched", "result: 90 rows in 1 file", "spilled 5.2 MB"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the summary lacks %q:\n%s", want, out.String())
		}
	}
}

func TestSummaryHasTheStagesThatRanInTheirOrder(t *testing.T) {
	at := time.Unix(0, 0)
	b := NewBoard(1, func() time.Time { at = at.Add(time.Second); return at })
	later := b.Plan("read and write", 0)
	b.Plan("taken over", 0)
	for _, st := range []*Stage{b.Take("verify", 0), later} {
		st.Begin()
		st.End(true)
	}
	var names []string
	for _, st := range Summarize(b.Snapshot(), 0, nil).Stages {
		names = append(names, st.Name+" "+st.State)
	}
	if want := []string{"verify done", "read and write done"}; !slices.Equal(names, want) {
		t.Errorf("the stages are %q, want %q", names, want)
	}
}
