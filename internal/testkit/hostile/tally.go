package hostile

import "fmt"

// Tally counts what came of executions. Tallies of several processes add up.
type Tally struct {
	Next  uint64              // the execution after the last one counted
	Ends  map[string][]uint64 // by family, how often each outcome
	Wrong []Finding
	Pool  int64  // the most that the pool held, bytes
	Heap  uint64 // the most that an execution took of the Go heap, bytes
	Worst uint64 // that execution
	Bytes uint64 // of all inputs
}

// Finding is an execution that was Wrong.
type Finding struct {
	Execution uint64
	Family    string
	Message   string
}

// Name tells a family from the others.
func (f *Family) Name() string { return fmt.Sprintf("%s: %s", f.Reader, f.Mutator) }

// Add counts execution k, the latest of s.
func (t *Tally) Add(s *Suite, k uint64, r Result) {
	if t.Ends == nil {
		t.Ends = map[string][]uint64{}
	}
	name := r.Family.Name()
	if t.Ends[name] == nil {
		t.Ends[name] = make([]uint64, outcomes)
	}
	t.Ends[name][r.Outcome]++
	if r.Outcome == Wrong {
		t.Wrong = append(t.Wrong, Finding{k, name, r.Message})
	}
	if r.Heap > t.Heap {
		t.Heap, t.Worst = r.Heap, k
	}
	t.Pool, t.Bytes, t.Next = max(t.Pool, s.PoolPeak()), t.Bytes+uint64(r.Size), k+1
}

// Merge adds the counts of o, which come after those of t.
func (t *Tally) Merge(o *Tally) {
	if t.Ends == nil {
		t.Ends = map[string][]uint64{}
	}
	for name, ends := range o.Ends {
		if t.Ends[name] == nil {
			t.Ends[name] = make([]uint64, outcomes)
		}
		for i, n := range ends {
			t.Ends[name][i] += n
		}
	}
	if o.Heap > t.Heap {
		t.Heap, t.Worst = o.Heap, o.Worst
	}
	t.Wrong, t.Pool, t.Bytes, t.Next = append(t.Wrong, o.Wrong...), max(t.Pool, o.Pool), t.Bytes+o.Bytes, o.Next
}

// Sum returns how often each outcome came of a family; of all where name is empty.
func (t *Tally) Sum(name string) map[Outcome]uint64 {
	out := map[Outcome]uint64{}
	for family, ends := range t.Ends {
		for i, n := range ends {
			if n > 0 && (name == "" || name == family) {
				out[Outcome(i)] += n
			}
		}
	}
	return out
}
