// Package hostile gives damaged inputs to everything of the program that reads what others have written, and judges what comes of it:
// files of every format, blocks of spill files, what --resume kept and what lies beside outputs, jobs and expressions. Tests run some ten thousand executions, torture millions.
//
// An execution is named by its number: which input it damages, how, and how it reads it, follow from the number, the seed and the
// seeds of the Suite alone, so that whatever is found can be had again. Executions of one Suite are made one at a time.
//
// What an execution may do is read the input, or refuse it: with an error of a known kind, in one sentence that names the file, the same each
// time, with all memory given back, within the pool, and with no more taken of the Go heap than maxHeap. Anything else is Wrong.
package hostile

import (
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"runtime/metrics"
	"strings"

	"pqjoin/mem"
)

// Outcome is how an execution ended.
type Outcome uint8

// The outcomes.
const (
	Read      Outcome = iota // all of it was read
	Enough                   // many rows were read, and then no more
	Refused                  // by an error
	NoMemory                 // by an error that says that the pool has no more
	Contained                // by an error that was a panic of a decoder
	Wrong                    // anything else
	outcomes
)

func (o Outcome) String() string {
	return [...]string{"read", "read in part", "refused", "refused for want of memory", "refused by a decoder's contained panic", "WRONG"}[o]
}

const (
	// poolLimit bounds the memory that readers account for.
	poolLimit = 16 << 20
	// maxHeap bounds what an execution may take of the Go heap, whether it is given back or not: the least that a run leaves for it.
	maxHeap = 48 << 20
)

// Family is one way to damage the inputs of one reader.
type Family struct {
	Reader, Mutator string
	Share           int // of a thousand executions
	// Every is how many of the first executions try every single one of something: bits, lengths.
	Every uint64

	mutant func(n uint64, r *rand.Rand) []byte
	reader reader
}

// reader reads an input as a run does, and returns an error for what is wrong with it.
type reader interface {
	read(t *trial, b []byte) error
}

// trial is what an execution has.
type trial struct {
	how    uint64 // picks one of several ways of reading
	pool   *mem.Pool
	enough bool // rows were left unread
}

// Result is what came of an execution.
type Result struct {
	Family  *Family
	Outcome Outcome
	Size    int    // bytes of the input
	Heap    uint64 // bytes taken of the Go heap
	Message string // what is wrong, or the error
}

// Suite holds the families.
type Suite struct {
	Families []*Family
	Seeds    int // inputs that are damaged
	seed     uint64
	slots    []slot
	pool     *mem.Pool
	heap     []metrics.Sample
}

// slot is a place in a thousand executions: those of a family are numbered on their own.
type slot struct {
	family *Family
	nth    int
}

// newSuite lays the families out so that any stretch of executions has some of each.
func newSuite(seed uint64, families []*Family) *Suite {
	s := &Suite{Families: families, seed: seed, heap: []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}}
	for _, f := range families {
		for i := range f.Share {
			s.slots = append(s.slots, slot{f, i})
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	r.Shuffle(len(s.slots), func(i, j int) { s.slots[i], s.slots[j] = s.slots[j], s.slots[i] })
	return s
}

// find returns the family of execution k, and its number there.
func (s *Suite) find(k uint64) (*Family, uint64) {
	round, at := k/uint64(len(s.slots)), k%uint64(len(s.slots))
	sl := s.slots[at]
	return sl.family, round*uint64(sl.family.Share) + uint64(sl.nth)
}

// Input returns the family of execution k and what it reads.
func (s *Suite) Input(k uint64) (*Family, []byte) {
	f, n := s.find(k)
	return f, f.mutant(n, rand.New(rand.NewPCG(s.seed, k)))
}

// Run makes execution k. A panic of another goroutine ends the process, as it would end a run.
func (s *Suite) Run(k uint64) Result {
	f, b := s.Input(k)
	if s.pool == nil {
		s.pool = mem.NewPool(poolLimit)
	}
	t := &trial{how: rand.New(rand.NewPCG(k, s.seed)).Uint64(), pool: s.pool}
	before := s.allocated()
	panicked, err := guarded(f.reader, t, b)
	res := Result{Family: f, Size: len(b), Heap: s.allocated() - before}
	if panicked != "" {
		s.pool = nil // whoever panicked may still have some of it
		res.Outcome, res.Message = Wrong, panicked
		return res
	}
	if res.Outcome, res.Message = judge(err, t.enough); res.Outcome != Wrong && res.Heap > maxHeap {
		res.Outcome, res.Message = Wrong, fmt.Sprintf("it took %d bytes of the Go heap (%s)", res.Heap, res.Message)
	}
	if res.Outcome == Refused && k%8 == 0 {
		if _, err2 := guarded(f.reader, &trial{how: t.how, pool: s.pool}, b); err2 == nil || err2.Error() != res.Message {
			res.Outcome, res.Message = Wrong, fmt.Sprintf("it is refused by one sentence, and then by another: %s; %v", res.Message, err2)
		}
	}
	return res
}

// PoolPeak returns the most that the pool has held.
func (s *Suite) PoolPeak() int64 {
	if s.pool == nil {
		return 0
	}
	return s.pool.Peak()
}

// allocated returns the bytes that were taken of the Go heap since the process began.
func (s *Suite) allocated() uint64 {
	metrics.Read(s.heap)
	return s.heap[0].Value.Uint64()
}

// guarded reads, and returns what a panic said with its stack.
func guarded(r reader, t *trial, b []byte) (panicked string, err error) {
	defer func() {
		if p := recover(); p != nil {
			panicked = fmt.Sprintf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return "", r.read(t, b)
}

// wrongError is an error about the reader, not about what it reads.
type wrongError struct{ msg string }

func (e wrongError) Error() string { return e.msg }

func wrongf(format string, args ...any) error { return wrongError{fmt.Sprintf(format, args...)} }

// maxSentence is the longest sentence that an error may have, bytes: names of columns are in it.
const maxSentence = 2000

// oneSentence says whether an error is told as the contract has it: nothing of the program's inside. Names that inputs have in them may hold line
// ends, which the command line writes as escapes.
func oneSentence(msg string) bool {
	return msg != "" && len(msg) <= maxSentence && !strings.Contains(msg, "goroutine ") && !strings.Contains(msg, ".go:")
}
