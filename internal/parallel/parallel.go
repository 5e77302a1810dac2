// Package parallel runs a few functions at the same time.
package parallel

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// Run calls f(0) to f(n-1), each on a goroutine of its own, and returns when all have. A panic of one is raised again here, when the
// others are done, so that whoever contains those of the caller contains it too.
func Run(n int, f func(i int)) {
	var wg sync.WaitGroup
	var first sync.Once
	var panicked error
	for i := range n {
		wg.Go(func() {
			defer func() {
				if r := recover(); r != nil {
					first.Do(func() { panicked = fmt.Errorf("%v\n%s", r, debug.Stack()) })
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
