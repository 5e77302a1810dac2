package parallel

import (
	"strings"
	"sync/atomic"
	"testing"
)

func TestRunCallsEach(t *testing.T) {
	var seen [5]atomic.Int32
	Run(len(seen), func(i int) { seen[i].Add(1) })
	for i := range seen {
		if n := seen[i].Load(); n != 1 {
			t.Errorf("%d was called %d times", i, n)
		}
	}
	Run(0, func(int) { t.Error("called") })
}

func TestAPanicIsRaisedWhereItCanBeContained(t *testing.T) {
	var done atomic.Int32
	defer func() {
		p, ok := recover().(*Panic)
		if !ok || p.Value != "broken:\nall of it" || !strings.Contains(string(p.Stack), "parallel_test.go") || done.Load() != 2 {
			t.Fatalf("%v, %d others are done", p, done.Load())
		}
		if text := p.Error(); !strings.Contains(text, "broken: all of it") || strings.Contains(text, "\n") {
			t.Errorf("%q", text)
		}
	}()
	Run(3, func(i int) {
		if i == 1 {
			panic("broken:\nall of it")
		}
		done.Add(1)
	})
}
