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
		err, ok := recover().(error)
		if !ok || !strings.Contains(err.Error(), "broken") || done.Load() != 2 {
			t.Errorf("%v, %d others are done", err, done.Load())
		}
	}()
	Run(3, func(i int) {
		if i == 1 {
			panic("broken")
		}
		done.Add(1)
	})
}
