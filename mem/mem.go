// Package mem is the memory budget: one Pool of mmap'ed buffers bounds what the
// engine may hold, Accounts divide it among owners, and host.go says how much
// the machine or its cgroup leaves us.
//
// Invariants:
//
//   - Reserve, then allocate. Pool.mapped + Pool.reserved never exceeds Pool.limit,
//     and mapped counts every byte the pool has mapped, cached ones included.
//   - Every Buf belongs to one Account; the owner of the Account closes it, and
//     Close reports what was not given back.
//   - Pool memory holds no Go pointers, and the garbage collector never sees it.
//   - An allocation that does not fit first drops cached buffers, then asks the
//     reclaimers (stores that can spill) to give memory back, then fails with a
//     *LimitError that names the consumer, what it wanted, used and may use.
package mem

import (
	"errors"
	"fmt"

	"github.com/dustin/go-humanize"
)

// ErrLimit marks every failure to get memory; test with errors.Is.
var ErrLimit = errors.New("memory limit reached")

// LimitError says who wanted how many bytes, and what stood in the way. All figures are bytes.
type LimitError struct {
	Consumer string
	Wanted   int64
	Used     int64
	Limit    int64
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("%s wants %s of memory, uses %s and may use %s",
		e.Consumer, humanize.IBytes(uint64(e.Wanted)), humanize.IBytes(uint64(e.Used)), humanize.IBytes(uint64(max(e.Limit, 0))))
}

// Is makes errors.Is(err, ErrLimit) true.
func (e *LimitError) Is(target error) bool { return target == ErrLimit }
