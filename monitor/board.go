// Package monitor shows what a run does. The engine writes counters to a Board as it
// works; progress bars, plain lines, the summary and metrics read Snapshots of it.
// Nothing in the engine or an operator draws.
package monitor

import (
	"sync"
	"sync/atomic"
	"time"
)

// Board holds the counters of one run. It is safe for concurrent use.
type Board struct {
	now   func() time.Time
	start time.Time

	mu     sync.Mutex
	stages []*Stage
	notes  []string

	peakAnon int64        // highest anonymous memory sampled
	memUsed  func() int64 // bytes of pool memory in use
	memory   int64        // the bound, bytes
	spilled  func() int64 // bytes written to spill files so far
}

// NewBoard returns an empty board. memory is the bound in bytes; now is the clock.
func NewBoard(memory int64, now func() time.Time) *Board {
	return &Board{now: now, start: now(), memory: memory}
}

// Gauges tells the board where to read memory in use and bytes spilled.
func (b *Board) Gauges(memUsed, spilled func() int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.memUsed, b.spilled = memUsed, spilled
}

// Note records a sentence for the summary, for example that a strategy was switched.
func (b *Board) Note(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.notes = append(b.notes, text)
}

// The states of a stage.
const (
	waiting = iota
	running
	done
	stopped // by an error, its own or another's
)

var states = [...]string{waiting: "waiting", running: "running", done: "done", stopped: "stopped"}

// Stage holds the counters of one stage.
type Stage struct {
	name         string
	expectRows   int64 // rows the stage will read, as far as known; 0: unknown
	rowsIn       atomic.Int64
	rowsOut      atomic.Int64
	bytesIn      atomic.Int64
	state        atomic.Int32 // a position in states
	board        *Board
	started      time.Time
	ended        time.Time
	spillAtStart int64
	spillAtEnd   int64
	peakAnon     int64 // highest anonymous memory sampled while it ran
}

// Plan adds a stage that has not begun. expectRows is 0 where unknown.
func (b *Board) Plan(name string, expectRows int64) *Stage {
	s := &Stage{name: name, expectRows: expectRows, board: b}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stages = append(b.stages, s)
	return s
}

// Take returns the first planned stage of the name that has not begun, or a new one.
// expectRows, where it is known by now, replaces what was planned.
func (b *Board) Take(name string, expectRows int64) *Stage {
	b.mu.Lock()
	for _, s := range b.stages {
		if s.name == name && s.state.Load() == waiting {
			if expectRows > 0 {
				s.expectRows = expectRows
			}
			b.mu.Unlock()
			return s
		}
	}
	b.mu.Unlock()
	return b.Plan(name, expectRows)
}

// Name returns the stage's name.
func (s *Stage) Name() string { return s.name }

// Begin and End bracket the stage's work.
func (s *Stage) Begin() {
	s.board.mu.Lock()
	defer s.board.mu.Unlock()
	s.started, s.spillAtStart = s.board.now(), s.board.spillNow()
	s.state.Store(running)
}

// End marks the stage as done, or as stopped where it failed.
func (s *Stage) End(ok bool) {
	s.board.Sample()
	s.board.mu.Lock()
	defer s.board.mu.Unlock()
	s.ended, s.spillAtEnd = s.board.now(), s.board.spillNow()
	if ok {
		s.state.Store(done)
	} else {
		s.state.Store(stopped)
	}
}

// Sample reads the process's anonymous memory and credits it to the stages that run.
func (b *Board) Sample() {
	now := anonymous()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.peakAnon = max(b.peakAnon, now)
	for _, s := range b.stages {
		if s.state.Load() == running {
			s.peakAnon = max(s.peakAnon, now)
		}
	}
}

func (b *Board) spillNow() int64 {
	if b.spilled == nil {
		return 0
	}
	return b.spilled()
}

// In counts rows and bytes read by the stage, Out rows that it passed on.
func (s *Stage) In(rows, bytes int64) { s.rowsIn.Add(rows); s.bytesIn.Add(bytes) }

// Out counts rows that the stage passed on.
func (s *Stage) Out(rows int64) { s.rowsOut.Add(rows) }

// Rows returns the rows read and passed on so far.
func (s *Stage) Rows() (in, out int64) { return s.rowsIn.Load(), s.rowsOut.Load() }

// StageSnapshot is a stage at one moment. Times are since the run began.
type StageSnapshot struct {
	Name       string        `json:"name"`
	State      string        `json:"state"` // waiting, running, done, stopped (by an error)
	ExpectRows int64         `json:"expect_rows,omitempty"`
	RowsIn     int64         `json:"rows_in"`
	RowsOut    int64         `json:"rows_out"`
	BytesIn    int64         `json:"bytes_in"`
	Spilled    int64         `json:"spilled_bytes"`
	PeakAnon   int64         `json:"peak_anonymous_bytes"`
	Elapsed    time.Duration `json:"elapsed_ns"`
	Ended      time.Duration `json:"ended_ns,omitempty"` // when it was done or stopped
}

// Snapshot is a run at one moment.
type Snapshot struct {
	Elapsed    time.Duration   `json:"elapsed_ns"`
	Memory     int64           `json:"memory_bound_bytes"`
	MemoryUsed int64           `json:"memory_used_bytes"`    // pool memory now
	PeakAnon   int64           `json:"peak_anonymous_bytes"` // of the process, sampled
	Spilled    int64           `json:"spilled_bytes"`
	Stages     []StageSnapshot `json:"stages"`
	Notes      []string        `json:"notes,omitempty"`
}

// Snapshot reads all counters.
func (b *Board) Snapshot() Snapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := Snapshot{Elapsed: b.now().Sub(b.start), Memory: b.memory, PeakAnon: b.peakAnon, Spilled: b.spillNow(), Notes: append([]string(nil), b.notes...)}
	if b.memUsed != nil {
		s.MemoryUsed = b.memUsed()
	}
	for _, st := range b.stages {
		s.Stages = append(s.Stages, st.snapshot(s.Spilled))
	}
	return s
}

func (s *Stage) snapshot(spilled int64) StageSnapshot {
	out := StageSnapshot{Name: s.name, ExpectRows: s.expectRows, RowsIn: s.rowsIn.Load(), RowsOut: s.rowsOut.Load(), BytesIn: s.bytesIn.Load(), PeakAnon: s.peakAnon}
	state := s.state.Load()
	out.State = states[state]
	switch state {
	case running:
		out.Elapsed = s.board.now().Sub(s.started)
		out.Spilled = spilled - s.spillAtStart
	case done, stopped:
		out.Elapsed = s.ended.Sub(s.started)
		out.Ended = s.ended.Sub(s.board.start)
		out.Spilled = s.spillAtEnd - s.spillAtStart
	}
	return out
}
