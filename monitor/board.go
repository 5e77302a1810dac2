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

	memUsed func() int64 // bytes of pool memory in use
	memory  int64        // the bound, bytes
	spilled func() int64 // bytes written to spill files so far
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

// Stage holds the counters of one stage.
type Stage struct {
	name         string
	expectRows   int64 // rows the stage will read, as far as known; 0: unknown
	rowsIn       atomic.Int64
	rowsOut      atomic.Int64
	bytesIn      atomic.Int64
	state        atomic.Int32 // 0 waiting, 1 running, 2 done
	board        *Board
	started      time.Time
	ended        time.Time
	spillAtStart int64
	spillAtEnd   int64
}

// Plan adds a stage that has not begun. expectRows is 0 where unknown.
func (b *Board) Plan(name string, expectRows int64) *Stage {
	s := &Stage{name: name, expectRows: expectRows, board: b}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stages = append(b.stages, s)
	return s
}

// Expect corrects the rows that the stage will read, once they are known.
func (s *Stage) Expect(rows int64) {
	s.board.mu.Lock()
	defer s.board.mu.Unlock()
	s.expectRows = rows
}

// Begin and End bracket the stage's work.
func (s *Stage) Begin() {
	s.board.mu.Lock()
	defer s.board.mu.Unlock()
	s.started, s.spillAtStart = s.board.now(), s.board.spillNow()
	s.state.Store(1)
}

// End marks the stage as done.
func (s *Stage) End() {
	s.board.mu.Lock()
	defer s.board.mu.Unlock()
	s.ended, s.spillAtEnd = s.board.now(), s.board.spillNow()
	s.state.Store(2)
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
	State      string        `json:"state"` // waiting, running, done
	ExpectRows int64         `json:"expect_rows,omitempty"`
	RowsIn     int64         `json:"rows_in"`
	RowsOut    int64         `json:"rows_out"`
	BytesIn    int64         `json:"bytes_in"`
	Spilled    int64         `json:"spilled_bytes"`
	Elapsed    time.Duration `json:"elapsed_ns"`
}

// Snapshot is a run at one moment.
type Snapshot struct {
	Elapsed    time.Duration   `json:"elapsed_ns"`
	Memory     int64           `json:"memory_bound_bytes"`
	MemoryUsed int64           `json:"memory_used_bytes"` // pool memory now
	Spilled    int64           `json:"spilled_bytes"`
	Stages     []StageSnapshot `json:"stages"`
	Notes      []string        `json:"notes,omitempty"`
}

// Snapshot reads all counters.
func (b *Board) Snapshot() Snapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := Snapshot{Elapsed: b.now().Sub(b.start), Memory: b.memory, Spilled: b.spillNow(), Notes: append([]string(nil), b.notes...)}
	if b.memUsed != nil {
		s.MemoryUsed = b.memUsed()
	}
	for _, st := range b.stages {
		s.Stages = append(s.Stages, st.snapshot(s.Spilled))
	}
	return s
}

func (s *Stage) snapshot(spilled int64) StageSnapshot {
	out := StageSnapshot{Name: s.name, ExpectRows: s.expectRows, RowsIn: s.rowsIn.Load(), RowsOut: s.rowsOut.Load(), BytesIn: s.bytesIn.Load()}
	switch s.state.Load() {
	case 0:
		out.State = "waiting"
	case 1:
		out.State = "running"
		out.Elapsed = s.board.now().Sub(s.started)
		out.Spilled = spilled - s.spillAtStart
	default:
		out.State = "done"
		out.Elapsed = s.ended.Sub(s.started)
		out.Spilled = s.spillAtEnd - s.spillAtStart
	}
	return out
}
