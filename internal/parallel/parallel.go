// Package parallel runs a few functions at the same time, and makes errors of panics.
package parallel

import (
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
)

// Panic is a panic, which is our own bug, as an error, whose text is one line.
type Panic struct {
	Value any    // what it was raised with
	Stack []byte // of the goroutine that it was raised on
}

func (p *Panic) Error() string {
	return "internal error (please report it): " + strings.Join(strings.Fields(fmt.Sprint(p.Value)), " ")
}

// Recovered makes a Panic of what recover returned, where it was raised: one that was raised again elsewhere stays what it was.
func Recovered(r any) *Panic {
	if p, ok := r.(*Panic); ok {
		return p
	}
	return &Panic{Value: r, Stack: debug.Stack()}
}

// Contain is deferred: it sets err to a *Panic where there is one.
func Contain(err *error) {
	if r := recover(); r != nil {
		*err = Recovered(r)
	}
}

// Run calls f(0) to f(n-1), each on a goroutine of its own, and returns when all have. A panic of one is raised again here, as a *Panic,
// when the others are done, so that whoever contains those of the caller contains it too.
func Run(n int, f func(i int)) {
	var wg sync.WaitGroup
	var first sync.Once
	var panicked *Panic
	for i := range n {
		wg.Go(func() {
			defer func() {
				if r := recover(); r != nil {
					first.Do(func() { panicked = Recovered(r) })
				}
			}()
			f(i)
		})
	}
	wg.Wait()
	if panicked != nil {
		panic(panicked)
	}
}
